from typing import Any, get_args

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from mdrnets.metrics.ssim import BLOCK, LUMA, Variant, ssim

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def _pair(*, height: int = 24, width: int = 97) -> tuple[Tensor, Tensor]:
    """Four smooth images and distorted ones: noise, nothing, a constant, a black hole."""
    generator = np.random.default_rng(5)
    coarse = generator.integers(256, size=(4, 4, 4, 3))
    images = coarse.repeat(-(-height // 4), axis=1).repeat(-(-width // 4), axis=2)
    images = images[:, :height, :width].astype(np.uint8)
    distorted = images.astype(int)
    distorted[0] += generator.integers(-40, 41, size=distorted[0].shape)
    distorted[2] = 255
    distorted[3, 5:15, 5:15] = 0
    return torch.from_numpy(images), torch.from_numpy(distorted.clip(0, 255).astype(np.uint8))


def _reference(a: np.ndarray, b: np.ndarray, **options: Any) -> float:
    return float(structural_similarity(a, b, data_range=255, **options))


def test_gaussian_rgb_equals_scikit_image() -> None:
    a, b = _pair()
    expected = [
        _reference(x.numpy(), y.numpy(), channel_axis=-1, **GAUSSIAN)
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(ssim([a], b), [expected], rtol=0, atol=1e-10)


def test_uniform_rgb_is_scikit_images_default() -> None:
    a, b = _pair()
    expected = [
        _reference(x.numpy(), y.numpy(), channel_axis=-1) for x, y in zip(a, b, strict=True)
    ]
    result = ssim([a], b, variant="uniform7_rgb")
    np.testing.assert_allclose(result, [expected], rtol=0, atol=1e-10)


def test_gaussian_luma_is_scikit_image_on_the_luma() -> None:
    a, b = _pair()
    expected = [
        _reference(x.numpy() @ np.array(LUMA), y.numpy() @ np.array(LUMA), **GAUSSIAN)
        for x, y in zip(a, b, strict=True)
    ]
    result = ssim([a], b, variant="gaussian11_luma")
    np.testing.assert_allclose(result, [expected], rtol=0, atol=1e-10)


@pytest.mark.parametrize("variant", VARIANTS)
def test_equal_images_score_one(variant: Variant) -> None:
    a, _ = _pair()
    torch.testing.assert_close(
        ssim([a], a, variant=variant), torch.ones(1, 4, dtype=torch.float64), rtol=0, atol=1e-12
    )


def test_the_variants_differ_as_the_literature_warns() -> None:
    a, b = _pair()
    values = [ssim([a], b, variant=variant).flatten()[0].item() for variant in VARIANTS]
    assert max(values) - min(values) > 0.01


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_symmetric_and_does_not_depend_on_the_batch(variant: Variant) -> None:
    a, b = _pair()
    together = ssim([a], b, variant=variant)
    torch.testing.assert_close(ssim([b], a, variant=variant), together, rtol=0, atol=1e-12)
    alone = [ssim([a[i : i + 1]], b[i : i + 1], variant=variant) for i in range(4)]
    torch.testing.assert_close(torch.cat(alone, dim=1), together, rtol=0, atol=1e-12)


def test_several_versions_of_an_image_score_as_each_alone() -> None:
    a, b = _pair(height=BLOCK + 10 + BLOCK // 2)  # two strips, of which the second is shorter
    darker = a // 2
    together = ssim([a, darker], b)
    assert together.shape == (2, 4)
    torch.testing.assert_close(together[0], ssim([a], b)[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(together[1], ssim([darker], b)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [11, 12, BLOCK + 10, BLOCK + 11, 2 * BLOCK + 10, 100])
def test_images_of_any_size_equal_scikit_image(size: int) -> None:
    a, b = (x[:1] for x in _pair(height=size, width=size))
    expected = _reference(a[0].numpy(), b[0].numpy(), channel_axis=-1, **GAUSSIAN)
    assert ssim([a], b).item() == pytest.approx(expected, abs=1e-10)


def test_bad_input_is_refused() -> None:
    a, b = _pair()
    with pytest.raises(ValueError, match="uint8"):
        ssim([a / 255], b / 255)
    with pytest.raises(ValueError, match="11"):
        ssim([a[:, :10]], b[:, :10])
    assert ssim([a[:, :10]], b[:, :10], variant="uniform7_rgb").shape == (1, 4)
