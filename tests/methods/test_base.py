import torch
from torch import nn

from mdrnets.methods.base import Batch, Trainable
from mdrnets.networks.composite import composite


class _WithHelper(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(2, 2)
        self.register_frozen("helper", nn.BatchNorm1d(3))


def test_masked_is_zero_only_in_the_hole(batch: Batch) -> None:
    inside = batch.hole.bool().expand_as(batch.image)
    assert not batch.masked[inside].any()
    assert torch.equal(batch.masked[~inside], batch.image[~inside])


def test_a_composite_is_the_image_outside_and_the_output_inside(batch: Batch) -> None:
    output = torch.randn_like(batch.image)
    inside = batch.hole.bool().expand_as(batch.image)
    for image in (batch.image, batch.masked):
        result = composite(image, output, batch.hole)
        assert torch.equal(result, torch.where(inside, output, batch.image))


def test_a_frozen_helper_is_not_saved() -> None:
    trainable = _WithHelper()
    assert set(trainable.state_dict()) == {"network.weight", "network.bias"}
    assert {name for name, _ in trainable.named_parameters()} == {"network.weight", "network.bias"}


def test_a_frozen_helper_moves_along() -> None:
    trainable = _WithHelper()
    helper = trainable.frozen("helper")
    trainable.to(torch.float64)
    assert helper.weight.dtype == helper.running_mean.dtype == torch.float64
    nn.Sequential(trainable).to("meta")
    assert helper.weight.is_meta and trainable.network.weight.is_meta


def test_a_frozen_helper_keeps_its_mode_and_gradients() -> None:
    trainable = _WithHelper()
    helper = trainable.frozen("helper").eval()
    trainable.train().requires_grad_(False)
    assert not helper.training
    assert helper.weight.requires_grad


def test_registering_returns_the_helper() -> None:
    helper = nn.Linear(1, 1)
    trainable = _WithHelper()
    assert trainable.register_frozen("another", helper) is helper is trainable.frozen("another")
