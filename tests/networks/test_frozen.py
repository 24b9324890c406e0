import pytest
import torch
from torch import nn

from mdrnets.networks.frozen import freeze


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)), nn.Dropout(0.5))


def test_it_is_the_same_network_in_eval_mode_without_parameter_gradients(
    network: nn.Sequential,
) -> None:
    assert freeze(network) is network
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_neither_its_own_train_nor_a_parents_wakes_it(network: nn.Sequential) -> None:
    parent = nn.ModuleList([freeze(network), nn.Dropout()]).train()
    assert parent[1].training
    assert network.train() is network  # as `nn.Module.train` does
    assert not any(module.training for module in network.modules())


def test_its_running_statistics_and_output_stay(network: nn.Sequential) -> None:
    freeze(network)
    image = torch.randn(4, 3, 8, 8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    output = network.train()(image)
    assert torch.equal(network(image), output)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_gradients_pass_through_it_and_none_stays_in_it(network: nn.Sequential) -> None:
    image = torch.randn(2, 3, 8, 8, requires_grad=True)
    freeze(network)(image).square().sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())
