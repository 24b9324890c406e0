import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from mdrnets.data.classes import CLASSES
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, Phase, Setting, Trainable, composite
from mdrnets.methods.mdrnets.losses import Weights
from mdrnets.methods.mdrnets.mask_region import fuse
from mdrnets.methods.mdrnets.memory import DisentangledMemory
from mdrnets.methods.mdrnets.method import MDRNets, Options, build
from mdrnets.methods.mdrnets.pooling import nearest_regions, pool_regions
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze
from mdrnets.pixels import to_pixels, to_tensor

RunSteps = Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]

SMALL: dict[str, Any] = {
    "steps": 4,
    "batch_size": 2,
    "style_channels": 6,
    "style_width": 2,
    "width": 4,
    "dilations": [1, 2],
    "spade_hidden": 4,
    "discriminator_base": 4,
    "slots": 3,
    "alpha": 0.5,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "without MREM": {"mrem": False},
    "without MREM and DMM": {"guidance": "style"},
    "without memory": {"memory": "none"},
    "shared": {"memory": "shared", "slots": 14 * 3},
    "shared, without MREM": {"memory": "shared", "mrem": False},
    "one slot": {"slots": 1},
    "without L_sem": {"weights": {"semantic": 0}},
    "without L_InCo²": {"weights": {"incoordination": 0}},
    "without adversary": {"weights": {"adversarial": 0}},
    "gram": {"style": "gram", "adversarial": "lsgan"},
}
EYE, SKIN = CLASSES.index("eye"), CLASSES.index("skin")


class _Coarse(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, masked: Tensor, hole: Tensor) -> Tensor:
        output: Tensor = 3 * self.conv(torch.cat([masked, hole], dim=1))  # leaves [-1, 1]
        return output


class _Parser(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, len(CLASSES), 1)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = 5 * self.conv(image)
        return logits

    @torch.no_grad()
    def parse(self, image: Tensor) -> Tensor:
        return self(image).argmax(dim=1)


class _Recon(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 8, stride=8)
        self.drop = nn.Dropout()  # awake, it would make a training step differ from the next

    def encode(self, image: Tensor) -> Tensor:
        features: Tensor = self.drop(self.conv(image))
        return features


@pytest.fixture
def setting(fake_features: Callable[[str], PerceptualFeatures]) -> Setting:
    torch.manual_seed(0)
    frozen = {"coarse": freeze(_Coarse()), "parser": freeze(_Parser()), "recon": freeze(_Recon())}
    return Setting(image_size=32, features=fake_features, frozen=frozen)


def _options(**changes: Any) -> Options:
    return Options.model_validate(SMALL | changes)


def _built(setting: Setting, **changes: Any) -> MDRNets:
    torch.manual_seed(1)
    return build(options=_options(**changes), setting=setting)


def _complete(method: MDRNets, batch: Batch, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return method.eval().complete(batch.masked, batch.hole, generator)


# -- options and sizes -----------------------------------------------------------------------


def test_the_defaults_build_the_full_size_networks(setting: Setting) -> None:
    with torch.device("meta"):
        method = build(
            options=Options(steps=1),
            setting=Setting(image_size=256, features=setting.features, frozen=setting.frozen),
        )
    counts = {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in method.named_children()
    }
    assert counts == {
        "style_encoder": 978_496,
        "memory": 0,
        "correlation": 2 * (256 * 256 + 256),
        "refinement": 61_277_891,
        "discriminator": 2_763_776,
    }
    assert method.memory is not None
    assert method.memory.slots.shape == (14, 64, 256)


def test_options_come_from_plain_yaml_data() -> None:
    options = _options(lr=1, weights={"style": 1}, taps=["relu1_2"])
    assert options.dilations == (1, 2)
    assert options.taps == ("relu1_2",)
    assert options.weights == Weights(style=1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory": "both"},
        {"alpha": 1.5},
        {"temperature": 0},
        {"dilations": []},
        {"weights": {"semantic": -1}},
        {"weights": {"gan": 1}},
        {"slots": 0},
        {"unknown": 1},
    ],
)
def test_bad_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _options(**wrong)


@pytest.mark.parametrize(
    ("changes", "size", "message"),
    [
        ({}, 36, "multiple of 8"),
        ({"patch_size": 3}, 32, "patch_size 3"),
        ({"dilations": [1, 4]}, 32, "dilations"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    setting: Setting, changes: dict[str, Any], size: int, message: str
) -> None:
    other = Setting(image_size=size, features=setting.features, frozen=setting.frozen)
    with pytest.raises(UserError, match=message):
        build(options=_options(**changes), setting=other)


# -- training --------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains(
    setting: Setting, batch: Batch, run_steps: RunSteps, variant: str
) -> None:
    method = _built(setting, **VARIANTS[variant])
    before = copy.deepcopy(method.state_dict())
    (phase,) = method.phases()

    (terms,) = run_steps(method, phase, batch, 1)

    trained = {
        id(parameter)
        for optimiser in phase.optimisers.values()
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    assert trained == {id(parameter) for parameter in method.parameters()}
    used = [network for name, network in method.named_children() if name != "discriminator"]
    for parameter in (p for network in used for p in network.parameters()):
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
    assert any(not torch.equal(method.state_dict()[name], before[name]) for name in before)
    ablated = {name for name, weight in method.options.weights if weight == 0}
    expected = set(Weights.model_fields) - ablated
    assert set(terms) == expected | ({"discriminator"} if "adversarial" in expected else set())


def test_variants_have_the_parts_that_they_name(setting: Setting) -> None:
    def parts(variant: str) -> tuple[int | None, bool]:
        method = _built(setting, **VARIANTS[variant])
        blocks = None if method.memory is None else len(method.memory.slots)
        return blocks, method.correlation is not None

    assert parts("full") == (14, True)
    assert parts("without MREM") == (14, False)
    assert parts("without MREM and DMM") == (None, False)
    assert parts("without memory") == (None, True)
    assert parts("shared") == (1, True)
    assert parts("shared, without MREM") == (1, False)


def test_training_lowers_the_loss_in_the_hole(
    setting: Setting, batch: Batch, run_steps: RunSteps
) -> None:
    weights = dict.fromkeys(Weights.model_fields, 0.0) | {"hole": 6.0}
    method = _built(setting, lr=1e-2, weights=weights)
    history = run_steps(method, method.phases()[0], batch, 40)
    assert history[-1]["hole"] < 0.6 * history[0]["hole"]


def test_the_discriminator_goes_first_and_sees_no_generator_gradient(
    setting: Setting, batch: Batch
) -> None:
    method = _built(setting)
    (phase,) = method.phases()
    updates = phase.train_step(batch)

    first = next(updates)
    assert first.optimiser == "discriminator"
    torch.stack(list(first.terms.values())).sum().backward()
    assert all(parameter.grad is not None for parameter in method.discriminator.parameters())
    assert all(parameter.grad is None for parameter in method.refinement.parameters())

    method.zero_grad()
    second = next(updates)
    assert second.optimiser == "generator"
    torch.stack(list(second.terms.values())).sum().backward()
    assert all(parameter.grad is None for parameter in method.discriminator.parameters())
    assert next(updates, None) is None


@pytest.mark.parametrize("variant", ["full", "without memory", "without MREM and DMM"])
def test_the_chain_is_differentiable_to_the_style_encoder(
    setting: Setting, batch: Batch, variant: str
) -> None:
    """Also when the image is all hole, where only the memory's attention carries the gradient."""
    for hole in (batch.hole, torch.ones_like(batch.hole)):
        method = _built(setting, **VARIANTS[variant]).train()
        masked = batch.image * (1 - hole)
        coarse = method.complete_coarsely(masked, hole)
        labels = method.attached("parser").parse(coarse)
        method.refine(masked, hole, coarse, labels).square().sum().backward()
        gradient = next(method.style_encoder.parameters()).grad
        assert gradient is not None
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def test_frozen_networks_stay_frozen(setting: Setting, batch: Batch, run_steps: RunSteps) -> None:
    before = {name: copy.deepcopy(net.state_dict()) for name, net in setting.frozen.items()}
    method = _built(setting)
    run_steps(method, method.phases()[0], batch, 2)  # which calls train()
    for name, network in setting.frozen.items():
        assert not any(module.training for module in network.modules()), name
        assert all(parameter.grad is None for parameter in network.parameters()), name
        for key, value in network.state_dict().items():
            assert torch.equal(value, before[name][key]), name
    saved = {key.split(".")[0] for key in method.state_dict()}
    assert saved == {"style_encoder", "memory", "correlation", "refinement", "discriminator"}


@pytest.mark.parametrize("variant", ["full", "shared", "without memory"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_batches_without_hole_or_with_nothing_else_train(
    setting: Setting, batch: Batch, run_steps: RunSteps, variant: str, value: float
) -> None:
    extreme = Batch(image=batch.image, hole=torch.full_like(batch.hole, value))
    method = _built(setting, **VARIANTS[variant])
    slots = None if method.memory is None else method.memory.slots.clone()
    run_steps(method, method.phases()[0], extreme, 2)
    for name, tensor in method.state_dict().items():
        assert torch.isfinite(tensor).all(), name
    if method.memory is not None and slots is not None:
        assert torch.equal(method.memory.slots, slots) == (value == 1)  # no valid pixel, no write
    assert torch.isfinite(_complete(method, extreme)).all()


def test_the_same_seed_trains_the_same_weights(
    setting: Setting, batch: Batch, run_steps: RunSteps
) -> None:
    states = []
    for _ in range(2):
        method = _built(setting)
        run_steps(method, method.phases()[0], batch, 2)
        states.append(method.state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_one_step_writes_the_memory_once(
    setting: Setting, batch: Batch, run_steps: RunSteps
) -> None:
    method = _built(setting, slots=1)
    assert method.memory is not None
    run_steps(method, method.phases()[0], batch, 3)
    assert set(method.memory.updates.flatten().tolist()) <= {0, 3}
    assert method.memory.updates.sum() > 0


# -- the memory in the chain -----------------------------------------------------------------


def test_a_class_wholly_in_the_hole_is_completed_from_its_memory(setting: Setting) -> None:
    """The paper's main case: both eyes masked. The eyes' block is read, and not written."""
    method = _built(setting).train()
    assert method.memory is not None
    labels = torch.full((1, 32, 32), SKIN)
    labels[0, 8:12, 8:24] = EYE
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 6:14, 6:26] = 1
    masked = torch.randn(1, 3, 32, 32).clamp(-1, 1) * (1 - hole)
    before = method.memory.slots.clone()

    method.refine(masked, hole, masked, labels)
    written = {int(index) for index in (method.memory.slots != before).any(dim=(1, 2)).nonzero()}
    assert written == {SKIN}

    method.eval()
    output = method.refine(masked, hole, masked, labels)
    method.memory.slots[EYE] += torch.randn(3, 6)
    assert not torch.equal(method.refine(masked, hole, masked, labels), output)
    method.memory.slots[EYE] = before[EYE]
    absent = CLASSES.index("hat")
    method.memory.slots[absent] += torch.randn(3, 6)
    assert torch.equal(method.refine(masked, hole, masked, labels), output)


def test_without_a_memory_the_pooled_vectors_are_used_themselves(
    setting: Setting, batch: Batch
) -> None:
    method = _built(setting, memory="none", mrem=False).eval()
    labels = method.attached("parser").parse(batch.image)
    features = method.style_encoder(batch.image)
    small = F.interpolate(batch.hole, size=(16, 16))
    regions = nearest_regions(labels, classes=14, size=features.shape[2:])
    fused = fuse(
        valid_rows=pool_regions(features, regions * (1 - small)).means,
        hole_rows=pool_regions(features, regions).means,
        regions=regions,
        hole=small,
    )
    expected = method.refinement(batch.masked, batch.hole, fused)
    found = method.refine(batch.masked, batch.hole, batch.image, labels)
    torch.testing.assert_close(found, expected)


def test_style_guidance_goes_straight_to_the_decoder(setting: Setting, batch: Batch) -> None:
    method = _built(setting, guidance="style").eval()
    labels = torch.zeros(2, 32, 32, dtype=torch.int64)
    expected = method.refinement(batch.masked, batch.hole, method.style_encoder(batch.image))
    assert torch.equal(method.refine(batch.masked, batch.hole, batch.image, labels), expected)


def test_the_memory_can_start_from_data(setting: Setting) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    method = _built(setting, init="from_data", slots=5)
    assert isinstance(method.memory, DisentangledMemory)
    before = method.memory.slots.clone()
    (phase,) = method.phases()
    assert phase.start is not None
    phase.start(images)

    image = to_tensor(images)
    features = method.style_encoder(image)
    labels = method.attached("parser").parse(image)
    pooled = pool_regions(features, nearest_regions(labels, classes=14, size=features.shape[2:]))
    for index in range(14):
        vectors = pooled.means[pooled.present[:, index], index]
        torch.testing.assert_close(method.memory.slots[index, : len(vectors)], vectors)
        assert torch.equal(
            method.memory.slots[index, len(vectors) :], before[index, len(vectors) :]
        )
    assert pooled.present.any()


def test_the_memory_starts_random_by_default(setting: Setting) -> None:
    assert _built(setting).phases()[0].start is None


def test_diagnostics_tell_what_the_memory_does(
    setting: Setting, batch: Batch, run_steps: RunSteps
) -> None:
    method = _built(setting)
    run_steps(method, method.phases()[0], batch, 2)
    found = method.diagnostics()
    assert {"memory/use_entropy", "memory/moved", "memory/read_entropy"} < set(found)
    used = [found[f"memory/slots_used/{name}"] for name in CLASSES]
    assert 0 < max(used) <= 3
    assert np.isfinite(list(found.values())).all()
    assert "memory/slots_used/all classes" in _built(setting, memory="shared").diagnostics()
    assert _built(setting, guidance="style").diagnostics() == {}


# -- completion ------------------------------------------------------------------------------


def test_it_completes_without_what_only_training_needs(setting: Setting, batch: Batch) -> None:
    trained = _built(setting)

    def no_features(name: str) -> PerceptualFeatures:
        raise AssertionError(f"{name} was asked for")

    needed = {name: setting.frozen[name] for name in ("coarse", "parser")}
    method = _built(Setting(image_size=32, features=no_features, frozen=needed))
    method.load_state_dict(trained.state_dict())
    assert torch.equal(_complete(method, batch), _complete(trained, batch))


def test_completion_is_deterministic_and_leaves_no_trace(setting: Setting, batch: Batch) -> None:
    method = _built(setting)
    before = copy.deepcopy(method.state_dict())
    first = _complete(method, batch, seed=1)
    assert torch.equal(_complete(method, batch, seed=2), first)
    for name, tensor in method.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert first.shape == (2, 3, 32, 32)
    assert first.abs().max() <= 1


def test_images_of_a_batch_are_completed_alone(setting: Setting, batch: Batch) -> None:
    method = _built(setting)
    together = _complete(method, batch)
    alone = _complete(method, Batch(image=batch.image[1:], hole=batch.hole[1:]))
    torch.testing.assert_close(together[1:], alone)


def test_valid_pixels_are_the_input_byte_for_byte(setting: Setting, batch: Batch) -> None:
    given = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    image = to_tensor(given)
    output = _complete(_built(setting), Batch(image=image, hole=batch.hole))
    completed = to_pixels(composite(image, output, batch.hole))
    valid = batch.hole[:, 0].numpy() == 0
    assert np.array_equal(completed[valid], given[valid])
    assert (completed[~valid] != given[~valid]).any(axis=-1).mean() > 0.9


def test_the_coarse_face_fills_the_hole_alone_and_stays_in_range(
    setting: Setting, batch: Batch
) -> None:
    coarse = _built(setting).complete_coarsely(batch.masked, batch.hole)
    inside = batch.hole.bool().expand_as(coarse)
    assert torch.equal(coarse[~inside], batch.image[~inside])
    raw = setting.frozen["coarse"](batch.masked, batch.hole)
    assert raw.abs().max() > 1
    assert torch.equal(coarse[inside], raw.clamp(-1, 1)[inside])
