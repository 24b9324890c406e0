from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.methods.mdrnets.parser import Options, Parser, build, class_weights
from mdrnets.networks.bisenet import BiSeNet
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze

RunSteps = Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]
# Class → colour of the synthetic faces.
COLOURS = {0: (-0.9, -0.9, -0.9), 1: (0.8, 0.3, 0.1), 12: (-0.5, -0.8, 0.2), 3: (0.9, 0.9, 0.9)}


@pytest.fixture
def labelled_batch() -> Batch:
    """Four noisy 32×32 pictures: background, a skin square, hair on its top, an eye in it."""
    labels = torch.zeros(4, 32, 32, dtype=torch.int64)
    for index, (y, x) in enumerate([(4, 2), (8, 12), (2, 8), (6, 6)]):
        labels[index, y : y + 20, x : x + 18] = 1
        labels[index, y : y + 6, x : x + 18] = 12
        labels[index, y + 9 : y + 14, x + 3 : x + 9] = 3
    palette = torch.zeros(14, 3)
    for label, colour in COLOURS.items():
        palette[label] = torch.tensor(colour)
    noise = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    image = (palette[labels].permute(0, 3, 1, 2) + 0.05 * noise).clamp(-1, 1)
    return Batch(image=image, hole=torch.zeros(4, 1, 32, 32), labels=labels)


def _parser(**changes: Any) -> Parser:
    torch.manual_seed(0)
    values = {"steps": 60, "batch_size": 4, "width": 4, "lr": 1e-2, "input_scale": 2} | changes
    return build(
        options=Options.model_validate(values),
        context=BuildContext(image_size=32, features=_no_features),
    )


def _no_features(name: str) -> PerceptualFeatures:
    raise AssertionError("the parser needs no features")


def _state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_the_full_size_network_has_14_classes() -> None:
    with torch.device("meta"):
        parser = build(
            options=Options(steps=1), context=BuildContext(image_size=256, features=_no_features)
        )
    assert sum(parameter.numel() for parameter in parser.parameters()) == 13_298_496


def test_it_learns_a_labelled_batch(labelled_batch: Batch, run_steps: RunSteps) -> None:
    parser = _parser()
    before = _accuracies(parser.eval(), labelled_batch)
    (phase,) = parser.phases()
    assert phase.labels
    history = run_steps(parser, phase, labelled_batch, 60)

    assert set(history[0]) == {"cross_entropy", "auxiliary"}
    assert history[-1]["cross_entropy"] < 0.2 * history[0]["cross_entropy"]
    assert history[-1]["auxiliary"] < 0.6 * history[0]["auxiliary"]  # coarse maps learn less
    after = _accuracies(parser.eval(), labelled_batch)
    assert min(after.values()) > 0.8
    assert all(after[label] > before[label] for label in COLOURS if before[label] < 0.8)


def _accuracies(parser: Parser, batch: Batch) -> dict[int, float]:
    """Return the recall of each class."""
    assert batch.labels is not None
    result = parser.parse(batch.image) == batch.labels
    return {label: result[batch.labels == label].float().mean().item() for label in COLOURS}


@pytest.mark.parametrize("input_scale", [1, 2])
def test_logits_and_classes_have_the_size_of_the_image(input_scale: int) -> None:
    parser = _parser(input_scale=input_scale).eval()
    image = torch.randn(2, 3, 32, 64)
    logits, classes = parser(image), parser.parse(image)
    assert logits.shape == (2, 14, 32, 64)
    assert classes.dtype == torch.int64
    assert torch.equal(classes, logits.argmax(dim=1))


def test_the_scale_is_what_the_network_sees() -> None:
    parser = _parser(input_scale=3).eval()
    image = torch.randn(1, 3, 32, 32)
    enlarged = F.interpolate(image, size=(96, 96), mode="bilinear")
    expected = parser.network(enlarged).unflatten(3, (32, 3)).unflatten(2, (32, 3)).mean(dim=(3, 5))
    torch.testing.assert_close(parser(image), expected)


def test_frozen_it_leads_gradients_to_the_image(labelled_batch: Batch) -> None:
    image = labelled_batch.image.clone().requires_grad_()
    assert labelled_batch.labels is not None
    F.cross_entropy(freeze(_parser())(image), labelled_batch.labels).backward()

    assert image.grad is not None
    assert image.grad.abs().sum() > 0


def test_the_loss_is_balanced_cross_entropy_of_all_three_heads(labelled_batch: Batch) -> None:
    parser = _parser(input_scale=1, auxiliary_weight=0.5)
    (phase,) = parser.phases()
    (update,) = phase.train_step(labelled_batch)

    assert labelled_batch.labels is not None
    weight = class_weights(labelled_batch.labels, balance=0.5)
    losses = []
    for logits in parser.network.forward_with_auxiliary(labelled_batch.image):
        at_labels = logits.log_softmax(dim=1).gather(1, labelled_batch.labels[:, None])[:, 0]
        pixel = weight[labelled_batch.labels]
        losses.append((-at_labels * pixel).sum() / pixel.sum())
    torch.testing.assert_close(update.terms["cross_entropy"], losses[0])
    torch.testing.assert_close(update.terms["auxiliary"], 0.5 * (losses[1] + losses[2]))


def test_class_weights_are_powers_of_the_frequency() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[0, 0] = 3  # a quarter of the pixels
    weights = class_weights(labels, balance=0.5)
    assert weights.tolist() == pytest.approx([(4 / 3) ** 0.5, 0, 0, 2, *[0] * 10])
    assert class_weights(labels, balance=0).tolist() == [1, 0, 0, 1, *[0] * 10]


def test_the_rate_falls_to_zero_over_the_phase(labelled_batch: Batch, run_steps: RunSteps) -> None:
    parser = _parser(steps=4, lr=0.1)
    (phase,) = parser.phases()
    (group,) = phase.optimisers["parser"].param_groups
    rates = []
    for _ in range(4):
        rates.append(group["lr"])
        run_steps(parser, phase, labelled_batch, 1)
    assert rates == pytest.approx([0.1 * (1 - step / 4) ** 0.9 for step in range(4)])
    assert group["lr"] == 0


def test_diagnostics_are_accuracy_and_mean_iou_of_the_last_batch() -> None:
    class Constant(BiSeNet):
        """Predicts class 1 on the left half, class 0 on the right."""

        def forward_with_auxiliary(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            logits = torch.zeros(1, 14, 32, 32)
            logits[:, 1, :, :16] = 1
            logits[:, 0, :, 16:] = 1
            return logits, logits, logits

    parser = Parser(network=Constant(n_classes=14, width=4), options=Options(steps=1, batch_size=2))
    assert parser.diagnostics() == {}
    labels = torch.zeros(1, 32, 32, dtype=torch.int64)
    labels[:, :16] = 1  # the upper half
    (phase,) = parser.phases()
    list(phase.train_step(Batch(torch.zeros(1, 3, 32, 32), torch.zeros(1, 1, 32, 32), labels)))
    assert parser.diagnostics() == pytest.approx({"accuracy": 1 / 2, "mean_iou": 1 / 3})


def test_a_saved_parser_parses_alike(labelled_batch: Batch, run_steps: RunSteps) -> None:
    parser = _parser()
    run_steps(parser, parser.phases()[0], labelled_batch, 3)
    again = _parser()
    again.load_state_dict(parser.state_dict())
    assert torch.equal(parser.eval()(labelled_batch.image), again.eval()(labelled_batch.image))


def test_a_batch_without_labels_is_refused(labelled_batch: Batch) -> None:
    (phase,) = _parser().phases()
    with pytest.raises(AssertionError, match="labels"):
        next(iter(phase.train_step(replace(labelled_batch, labels=None))))


def test_options_are_checked() -> None:
    assert Options.model_validate({"steps": 3, "batch_size": 2, "lr": 1}).lr == 1
    for bad in ({"batch_size": 1}, {"width": 0}, {"lr": 0.0}, {"class_balance": 2.0}, {"depth": 3}):
        with pytest.raises(ValidationError):
            Options.model_validate({"steps": 3, "batch_size": 2} | bad)


def test_published_weights_replace_a_training() -> None:
    with pytest.raises(ValidationError, match="published"):
        Options(published=True, steps=1)
    with pytest.raises(ValidationError, match="steps"):
        Options(batch_size=2)
    asked: list[str] = []

    def weights(name: str) -> dict[str, Tensor]:
        asked.append(name)
        return {}

    context = BuildContext(image_size=32, features=_no_features, weights=weights)
    with pytest.raises(UserError, match="79999_iter"):
        build(options=Options(published=True), context=context)
    assert asked == ["bisenet"]

    with torch.device("meta"):
        parser = build(
            options=Options(published=True, input_scale=2),
            context=BuildContext(image_size=32, features=_no_features),
        )
        assert parser.eval()(torch.empty(1, 3, 32, 32)).shape == (1, 14, 32, 32)
    assert list(parser.phases()) == []
    assert sum(parameter.numel() for parameter in parser.parameters()) == 13_300_416


def test_an_image_size_that_does_not_suit_the_strides_is_refused() -> None:
    options = Options(steps=1, batch_size=2, width=4)
    with pytest.raises(UserError, match=r"^input_scale: .* 1 .* 48 .* 32"):
        build(options=options, context=BuildContext(image_size=48, features=_no_features))
