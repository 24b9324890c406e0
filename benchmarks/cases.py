"""The cases that `before_after.py` times: each function returns one unit of work to call.

Run in the checkout that is measured, so every case uses only what both checkouts have.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, cast

import numpy as np
import torch
from torch import Tensor

from mdrnets.config.options import TrainOptions
from mdrnets.data.dataset import TrainingData
from mdrnets.data.pixels import to_pixels
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable
from mdrnets.networks.features import build_features
from mdrnets.runtime.numerics import keep_freed_memory
from mdrnets.training.sampling import BatchSampler

Work = Callable[[], object]


def ctsdg_step() -> Work:
    """A training step of CTSDG at its published sizes, one image of 256²."""
    from mdrnets.methods.ctsdg import method

    return _step(method, size=256, images=1)


def region_affinity() -> Work:
    """CTSDG's region affinity, forward and backward, one image of 256² (a map of 64×128×128)."""
    from mdrnets.methods.ctsdg.fusion import RegionAffinity

    affinity, x = RegionAffinity(), (torch.randn(1, 64, 128, 128) / 20).requires_grad_()
    return lambda: affinity(x).sum().backward()


def contextual_attention() -> Work:
    """DeepFillv2's attention, forward and backward, two images of 256² (maps of 96×64×64)."""
    from mdrnets.networks.contextual_attention import ContextualAttention

    attention, hole = ContextualAttention(), _hole(2, 256)
    x = (torch.randn(2, 96, 64, 64) / 20).requires_grad_()
    return lambda: attention(x, x, hole).sum().backward()


def deepfillv2_step() -> Work:
    """A training step of DeepFillv2 at its published sizes, one image of 256²."""
    from mdrnets.methods import deepfillv2

    return _step(deepfillv2, size=256, images=1)


def pic_step() -> Work:
    """A training step of PIC at its published sizes, one image of 256²."""
    from mdrnets.methods.pic import method

    return _step(method, size=256, images=1)


def ict_sampling() -> Work:
    """Sampling of 8 images by ICT's transformer at `real64`'s sizes, half of the cells missing."""
    from mdrnets.methods.ict.transformer import AppearanceTransformer, sample_masked

    transformer = AppearanceTransformer(cells=64, colours=32, width=128, heads=4, blocks=4).eval()
    tokens, masked = torch.randint(32, (8, 64)), torch.zeros(8, 64, dtype=torch.bool)
    masked[:, ::2] = True
    return lambda: sample_masked(
        transformer,
        tokens,
        masked,
        generator=torch.Generator().manual_seed(0),
        top_k=5,
        temperature=1.0,
        chunk=2,
    )


def dsi_sampling() -> Work:
    """Completion of 8 images by DSI at `real64`'s sizes."""
    return _dsi(
        images=8,
        size=64,
        vqvae_width=64,
        vqvae_hidden=32,
        codes=128,
        condition_base=8,
        condition_rates=(1, 2, 4),
        channels=64,
        blocks=4,
        attentions=2,
        texture_width=16,
        texture_dilations=(1, 2, 4, 8),
        discriminator_base=32,
        discriminator_layers=4,
    )


def dsi_sampling_256() -> Work:
    """Completion of one image of 256² by DSI at its published sizes."""
    return _dsi(images=1, size=256)


def scores() -> Work:
    """L1, PSNR and SSIM of 16 completions and outputs at 256²."""
    from mdrnets.metrics.pixel import l1, psnr
    from mdrnets.metrics.ssim import ssim

    truth, output = torch.randint(256, (2, 16, 256, 256, 3), dtype=torch.uint8)
    completion = torch.where(_hole(16, 256).bool()[:, 0, :, :, None], output, truth)

    def score() -> list[Tensor]:
        versions = [completion, output]
        errors = [error(version, truth) for version in versions for error in (l1, psnr)]
        try:
            return [*errors, ssim(versions, truth)]
        except AttributeError:  # older commits take one version in each call
            return [*errors, *(ssim(version, truth) for version in versions)]

    return score


def label_swap() -> Work:
    """Two permutations of the test of two Fréchet distances, 2,000 images, 2,048 features."""
    from mdrnets.metrics.paired import label_swap as test

    a, b, truth = np.random.default_rng(0).normal(size=(3, 2000, 2048)).astype(np.float32)
    return lambda: test([a], [b], truth, permutations=1, seed=0)


def batch() -> Work:
    """Drawing and converting 16 batches of 8 images at 256²."""
    generator = np.random.default_rng(0)
    holes = np.zeros((50, 256, 256), dtype=bool)
    for hole in holes:
        for top, left in generator.integers(0, 190, size=(6, 2)):
            hole[top : top + 50, left : left + 40] = True
    rows, nothing = np.arange(50), np.zeros(0, dtype=np.int64)
    data = TrainingData(
        images=generator.integers(0, 256, (50, 256, 256, 3), dtype=np.uint8),
        image_rows=rows,
        labels=None,
        labelled_rows=nothing,
        label_rows=nothing,
        holes=holes,
        hole_rows=rows,
    )
    sampler = BatchSampler(
        data=data, seed=1, phase=0, batch_size=8, labels=False, device=torch.device("cpu")
    )
    return lambda: [sampler.batch(step) for step in range(1, 17)]


CASES = {
    case.__name__: case
    for case in (
        ctsdg_step,
        region_affinity,
        deepfillv2_step,
        contextual_attention,
        pic_step,
        ict_sampling,
        dsi_sampling,
        dsi_sampling_256,
        scores,
        label_swap,
        batch,
    )
}


def _dsi(*, images: int, size: int, **options: Any) -> Work:
    from mdrnets.methods.dsi import method

    context = BuildContext(image_size=size, features=_no_features)
    built = method.build(options=method.Options(steps=3, **options), context=context).eval()
    complete_images = cast(Method, built).complete
    masked, hole = torch.zeros(images, 3, size, size), _hole(images, size)

    def complete() -> Tensor:
        with torch.inference_mode():
            return complete_images(masked, hole, torch.Generator().manual_seed(0))

    return complete


def _no_features(name: str) -> NoReturn:
    raise AssertionError(name)


def _hole(images: int, size: int) -> torch.Tensor:
    hole = torch.zeros(images, 1, size, size)
    hole[:, :, size // 4 : 7 * size // 8, size // 4 : 7 * size // 8] = 1  # 39 %
    return hole


def _step(module: Any, *, size: int, images: int) -> Work:
    options: TrainOptions = module.Options(steps=2)
    context = BuildContext(
        image_size=size,
        features=lambda name: build_features(name, perceptual="effnet-lite0", weights=None),  # type: ignore[arg-type]
    )
    trainable: Trainable = module.build(options=options, context=context).train()
    phase: Phase = trainable.phases()[0]
    images_pm1 = torch.rand(images, 3, size, size) * 2 - 1
    drawn = Batch(image=images_pm1, hole=_hole(images, size))
    if image_map := getattr(phase, "image_map", None):  # computed once an image, not in a step
        maps = np.stack([image_map(image) for image in to_pixels(images_pm1)])
        drawn = replace(drawn, image_map=torch.from_numpy(maps).float()[:, None])

    def step() -> None:
        for update in phase.train_step(drawn):
            optimiser = phase.optimisers[update.optimiser]
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(update.terms.values())).sum().backward()
            optimiser.step()

    return step


def main() -> None:
    """Print the CPU seconds of one unit of work, after one that is not counted."""
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    work = CASES[sys.argv[1]]()
    work()
    begin = time.process_time()
    work()
    print(time.process_time() - begin)


if __name__ == "__main__":
    main()
