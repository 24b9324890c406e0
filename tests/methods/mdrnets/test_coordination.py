import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.methods.mdrnets.coordination import coordination_loss

CLASSES = 5


@pytest.fixture
def labels() -> Tensor:
    return torch.randint(0, CLASSES, (2, 16, 16), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def hole() -> Tensor:
    hole = torch.zeros(2, 1, 16, 16)
    hole[0, :, 3:11, 2:9] = 1
    hole[1, :, 8:, 8:] = 1
    return hole


def _features(seed: int) -> Tensor:
    return torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(seed))


def _loss(output: Tensor, truth: Tensor, labels: Tensor, hole: Tensor) -> Tensor:
    return coordination_loss(output, truth, labels=labels, hole=hole, classes=CLASSES)


def test_it_is_zero_for_the_ground_truth(labels: Tensor, hole: Tensor) -> None:
    assert _loss(_features(1), _features(1), labels, hole).item() == 0


def test_it_is_equations_6_to_8_spelled_out(labels: Tensor, hole: Tensor) -> None:
    def rows(features: Tensor, part: Tensor) -> list[Tensor]:
        result = []
        for index in range(CLASSES):
            inside = (labels[0] == index) * part
            area = F.avg_pool2d(inside[None, None].float(), 4)[0, 0]
            mean = (features * area).sum(dim=(1, 2)) / area.sum().clamp(min=1e-9)
            result.append(mean / mean.norm().clamp(min=1e-9))
        return result

    total = torch.zeros(())
    inside, outside = hole[0, 0], 1 - hole[0, 0]
    output, truth = _features(1)[0], _features(2)[0]
    for i in range(CLASSES):
        for j in range(CLASSES):
            for part in (inside, outside):  # intra, then inter
                wrong = rows(output, inside)[i] @ rows(output, part)[j]
                right = rows(truth, inside)[i] @ rows(truth, part)[j]
                total += (wrong - right).abs() / CLASSES**2

    result = _loss(_features(1)[:1], _features(2)[:1], labels[:1], hole[:1])
    torch.testing.assert_close(result, total)


def test_the_order_of_the_classes_does_not_matter(labels: Tensor, hole: Tensor) -> None:
    order = torch.tensor([3, 0, 4, 1, 2])
    expected = _loss(_features(1), _features(2), labels, hole)
    torch.testing.assert_close(_loss(_features(1), _features(2), order[labels], hole), expected)


def test_the_length_of_features_does_not_matter(labels: Tensor, hole: Tensor) -> None:
    expected = _loss(_features(1), _features(2), labels, hole)
    torch.testing.assert_close(_loss(9 * _features(1), _features(2), labels, hole), expected)


def test_it_is_bounded(labels: Tensor, hole: Tensor) -> None:
    assert 0 < _loss(_features(1), -_features(2), labels, hole).item() <= 4


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full_holes_are_finite(labels: Tensor, value: float) -> None:
    output = _features(1).requires_grad_()
    loss = _loss(output, _features(2), labels, torch.full((2, 1, 16, 16), value))
    loss.backward()
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()
    assert (loss.item() == 0) == (value == 0)  # without a hole there are no classes in it


def test_an_absent_class_changes_only_the_mean(labels: Tensor, hole: Tensor) -> None:
    few = coordination_loss(_features(1), _features(2), labels=labels, hole=hole, classes=CLASSES)
    many = coordination_loss(
        _features(1), _features(2), labels=labels, hole=hole, classes=2 * CLASSES
    )
    torch.testing.assert_close(many, few / 4)


def test_the_gradient_lowers_it(labels: Tensor, hole: Tensor) -> None:
    output, truth = _features(1).requires_grad_(), _features(2)
    loss = _loss(output, truth, labels, hole)
    (gradient,) = torch.autograd.grad(loss, output)
    assert _loss(output - 0.1 * gradient, truth, labels, hole) < loss


def test_it_stays_in_full_precision_under_autocast(labels: Tensor, hole: Tensor) -> None:
    expected = _loss(_features(1), _features(2), labels, hole)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(_loss(_features(1), _features(2), labels, hole), expected)
