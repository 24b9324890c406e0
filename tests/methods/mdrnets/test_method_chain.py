from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.data.classes import CLASSES
from mdrnets.data.pixels import to_tensor
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.methods.mdrnets.mask_region import fuse
from mdrnets.methods.mdrnets.memory import DisentangledMemory
from mdrnets.methods.mdrnets.method import MDRNets, Options, build
from mdrnets.methods.mdrnets.pooling import class_regions, pool_regions
from mdrnets.networks.features import PerceptualFeatures

MakeMethod = Callable[..., MDRNets]
MakeOptions = Callable[..., Options]
RunSteps = Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]

EYE, SKIN = CLASSES.index("eye"), CLASSES.index("skin")


def _complete(method: MDRNets, batch: Batch, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return method.eval().complete(batch.masked, batch.hole, generator)


# -- the memory in the chain -----------------------------------------------------------------


def test_a_class_wholly_in_the_hole_is_completed_from_its_memory(small_method: MakeMethod) -> None:
    """The paper's main case: both eyes masked. The eyes' block is read but not written."""
    method = small_method().train()
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
    small_method: MakeMethod, batch: Batch
) -> None:
    method = small_method(memory="none", mrem=False).eval()
    labels = method.frozen("parser").parse(batch.image)
    features = method.style_encoder(batch.image)
    small = F.interpolate(batch.hole, size=(16, 16))
    regions = class_regions(labels, classes=14, size=features.shape[2:])
    fused = fuse(
        valid_rows=pool_regions(features, regions * (1 - small)).means,
        hole_rows=pool_regions(features, regions).means,
        regions=regions,
        hole=small,
    )
    expected = batch.image + method.refinement(batch.image, batch.hole, fused)
    result = method.refine(batch.masked, batch.hole, batch.image, labels)
    torch.testing.assert_close(result, expected)


def test_style_guidance_goes_straight_to_the_decoder(
    small_method: MakeMethod, batch: Batch
) -> None:
    method = small_method(guidance="style").eval()
    labels = torch.zeros(2, 32, 32, dtype=torch.int64)
    change = method.refinement(batch.image, batch.hole, method.style_encoder(batch.image))
    output = method.refine(batch.masked, batch.hole, batch.image, labels)
    assert torch.equal(output, batch.image + change)


# -- what is refined -------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["coarse", "masked"])
@pytest.mark.parametrize("residual", [False, True])
def test_the_encoder_takes_the_coarse_face_or_the_masked_image(
    small_method: MakeMethod, batch: Batch, source: str, residual: bool
) -> None:
    method = small_method(encoder_input=source, residual=residual, mrem=False).eval()
    coarse, guidance = torch.rand(2, 3, 32, 32), torch.rand(2, 6, 16, 16)
    image = coarse if source == "coarse" else batch.masked
    expected = method.refinement(image, batch.hole, guidance)
    result = method.decode(batch.masked, batch.hole, coarse, guidance)
    torch.testing.assert_close(result, coarse + expected if residual else expected)


def test_by_default_every_pixel_of_the_coarse_face_reaches_the_encoder(
    small_method: MakeMethod, batch: Batch
) -> None:
    method = small_method(residual=False).eval()  # not only by the sum
    coarse = method.complete_coarsely(batch.masked, batch.hole).requires_grad_()
    guidance = torch.zeros(2, 6, 16, 16)
    method.decode(batch.masked, batch.hole, coarse, guidance).square().sum().backward()
    assert coarse.grad is not None
    assert (coarse.grad.abs().sum(dim=1) > 0).all()


def test_a_residual_output_is_completed_in_range(small_method: MakeMethod, batch: Batch) -> None:
    method = small_method()
    with torch.no_grad():
        assert isinstance(method.refinement.to_image[1].bias, Tensor)
        method.refinement.to_image[1].bias.fill_(5)  # R is nearly 1
    assert _complete(method, batch).max() == 1


# -- how the networks begin ------------------------------------------------------------------


def test_initial_weights_can_be_those_of_the_cited_works(small_method: MakeMethod) -> None:
    method = small_method(initial_weights="cited", width=16)
    hidden = method.refinement.decoder[0].spade_1.hidden[0]
    deviation = 0.02 * (2 / (9 * sum(hidden.weight.shape[:2]))) ** 0.5
    assert hidden.weight.std().item() == pytest.approx(deviation, rel=0.3)
    gated = method.refinement.encoder[1].conv
    bound = (6 / (16 * sum(gated.weight.shape[:2]))) ** 0.5
    assert 0.9 * bound < gated.weight.abs().max().item() <= bound
    for name, parameter in method.named_parameters():
        assert not name.endswith("bias") or not parameter.any(), name


def test_the_memory_can_start_from_data(small_method: MakeMethod) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    method = small_method(init="from_data", warm_up_share=0, slots=5)
    assert isinstance(method.memory, DisentangledMemory)
    before = method.memory.slots.clone()
    (phase,) = method.phases()
    assert phase.on_start is not None
    phase.on_start(images)

    image = to_tensor(images)
    features = method.style_encoder(image)
    labels = method.frozen("parser").parse(image)
    pooled = pool_regions(features, class_regions(labels, classes=14, size=features.shape[2:]))
    for index in range(14):
        vectors = pooled.means[pooled.present[:, index], index]
        torch.testing.assert_close(method.memory.slots[index, : len(vectors)], vectors)
        assert torch.equal(
            method.memory.slots[index, len(vectors) :], before[index, len(vectors) :]
        )
    assert pooled.present.any()


def test_slots_are_filled_after_a_warm_up(
    small_method: MakeMethod, batch: Batch, run_steps: RunSteps
) -> None:
    method = small_method(init="from_data", warm_up_share=0.5)
    assert method.memory is not None
    warm_up, train = method.phases()
    assert (warm_up.steps, train.steps) == (2, 2)
    assert warm_up.optimisers is train.optimisers  # Adam continues
    assert warm_up.on_start is None
    assert train.on_start is not None
    run_steps(method, warm_up, batch, 2)
    assert method.memory.updates.any()
    train.on_start(np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8))
    assert not method.memory.updates.any()


def test_without_a_memory_there_is_nothing_to_fill(small_method: MakeMethod) -> None:
    (phase,) = small_method(init="from_data", memory="none").phases()
    assert phase.on_start is None


def test_the_memory_starts_random_by_default(small_method: MakeMethod) -> None:
    assert small_method().phases()[0].on_start is None


def test_diagnostics_describe_the_memory(
    small_method: MakeMethod, batch: Batch, run_steps: RunSteps
) -> None:
    method = small_method()
    run_steps(method, method.phases()[0], batch, 2)
    result = method.diagnostics()
    logged = {"use_entropy", "moved", "read_entropy", "read_length"}
    assert {f"memory/{name}" for name in logged} < set(result)
    used = [result[f"memory/slots_used/{name}"] for name in CLASSES]
    assert 0 < max(used) <= 3
    assert np.isfinite(list(result.values())).all()
    assert "memory/slots_used/all classes" in small_method(memory="shared").diagnostics()
    assert small_method(guidance="style").diagnostics() == {}


# -- completion ------------------------------------------------------------------------------


def test_it_completes_without_what_only_training_needs(
    frozen_context: BuildContext,
    small_method: MakeMethod,
    small_options: MakeOptions,
    batch: Batch,
) -> None:
    trained = small_method()

    needed = {name: frozen_context.frozen[name] for name in ("coarse", "parser")}
    context = BuildContext(image_size=32, features=lambda name: PerceptualFeatures(), frozen=needed)
    method = build(options=small_options(), context=context)
    method.load_state_dict(trained.state_dict())
    with pytest.raises(NotImplementedError):
        method.frozen("features")(batch.image, ["relu1_2"])
    assert torch.equal(_complete(method, batch), _complete(trained, batch))


def test_the_coarse_face_fills_only_the_hole_and_stays_in_range(
    frozen_context: BuildContext, small_method: MakeMethod, batch: Batch
) -> None:
    coarse = small_method().complete_coarsely(batch.masked, batch.hole)
    inside = batch.hole.bool().expand_as(coarse)
    assert torch.equal(coarse[~inside], batch.image[~inside])
    raw = frozen_context.frozen["coarse"](batch.masked, batch.hole)
    assert raw.abs().max() > 1
    assert torch.equal(coarse[inside], raw.clamp(-1, 1)[inside])
