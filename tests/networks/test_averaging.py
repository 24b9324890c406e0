import pytest
import torch
from torch import nn

from mdrnets.networks.averaging import MovingAverage


def test_it_follows_with_a_rising_decay() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = MovingAverage(network, decay=0.5)
    nn.init.ones_(network.weight)
    expected = 0.0
    for count in range(1, 12):
        average.update(network)
        decay = min(0.5, (1 + count) / (10 + count))
        expected = decay * expected + (1 - decay)
        assert average.network.get_parameter("weight").item() == pytest.approx(expected)


def test_buffers_are_copied_and_the_copy_is_frozen() -> None:
    network = nn.BatchNorm1d(2)
    average = MovingAverage(network, decay=0.9)
    network.train()(torch.randn(8, 2) + 3)
    average.update(network)
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        assert torch.equal(average.network.get_buffer(name), network.get_buffer(name))
    average.train()
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.parameters())


def test_the_count_is_saved() -> None:
    network = nn.Linear(2, 2)
    average = MovingAverage(network, decay=0.9)
    average.update(network)
    other = MovingAverage(nn.Linear(2, 2), decay=0.9)
    other.update(nn.Linear(2, 2))
    other.load_state_dict(average.state_dict())
    assert int(other.updates) == other.count == 1
    assert other.count_update() == int(other.updates) == 2
