import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.config.load import Config, load_config
from mdrnets.methods import pconv
from mdrnets.methods.base import BuildContext, Method
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.planning.counting import CostCounter, _Counter, _saved_bytes


def test_macs_of_forward_and_backward_are_those_of_pytorchs_counter() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8), nn.Conv2d(8, 4, 3))
    image = torch.rand(2, 3, 160, 160)  # large enough to be left out
    with FlopCounterMode(display=False) as reference:
        network(image).square().mean().backward()
    with _Counter() as counter:
        network(image).square().mean().backward()
    assert counter.macs == reference.get_total_flops() // 2 > 0


def test_large_products_are_left_out_and_everything_else_is_computed() -> None:
    weight = torch.ones(1, 1, 1, 1)
    with _Counter():
        assert F.conv2d(torch.ones(1, 1, 300, 300), weight).sum() + 1 == 1
        assert F.conv2d(torch.ones(1, 1, 4, 4), weight).sum() == 16


def test_views_are_no_kernels() -> None:
    x = torch.rand(4, 4)
    with _Counter() as counter:
        (x.view(16)[:4] + 1).relu()
    assert counter.kernels == 2


def test_what_the_backward_pass_needs_counts_once() -> None:
    x = torch.rand(1000, requires_grad=True)
    with _saved_bytes() as sizes:
        y = x.exp()  # keeps its result
        (y * y).sum().backward()  # keeps it twice again
    assert sum(sizes) == 4000


def test_a_sampler_costs_more_where_more_is_missing(configs: object) -> None:
    cost = CostCounter(load_config("demo")).count("ict")
    assert cost.completion is not None
    some, more, most = (cost.completion(share).macs for share in (0.1, 0.3, 0.5))
    assert more - some == pytest.approx(most - more)
    assert more > 2 * some
    assert [phase.name for phase in cost.phases] == ["prior", "upsampler"]


def test_costs_are_those_of_the_networks(configs: object) -> None:
    """Against a completion that is really computed."""
    config = load_config("demo")
    network_cost = CostCounter(config).count("pconv")
    method = _pconv(config)
    image, hole = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    with torch.no_grad(), FlopCounterMode(display=False) as reference:
        method.complete(image, hole, torch.Generator())
    assert network_cost.completion is not None
    completion = network_cost.completion(0.3).macs
    assert completion == reference.get_total_flops() // 2

    parameters = sum(parameter.numel() for parameter in method.parameters())
    assert network_cost.parameters == parameters
    assert network_cost.optimised == 4 * parameters
    assert network_cost.frozen > 0  # EfficientNet's features
    phase = network_cost.phases[0]
    assert phase.step.macs > 3 * phase.batch_size * completion  # both passes, and features


def _pconv(config: Config) -> Method:
    options = pconv.Options(**config.options("pconv"))
    context = BuildContext(image_size=64, features=lambda name: PerceptualFeatures())
    return pconv.build(options=options, context=context).eval()
