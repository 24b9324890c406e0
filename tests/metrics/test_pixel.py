from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from mdrnets.metrics.pixel import l1, psnr


def _images(seed: int, *, count: int = 3, size: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, size, size, 3), generator=generator, dtype=torch.uint8)


def _hole(*, count: int = 3, size: int = 12) -> Tensor:
    hole = torch.zeros(count, size, size, dtype=torch.bool)
    for index in range(count):
        hole[index, 2 : 5 + index, 3:9] = True
    return hole


def test_l1_is_the_mean_absolute_difference_in_percent() -> None:
    a, b = _images(1), _images(2)
    expected = 100 * np.abs(a.numpy() / 255 - b.numpy() / 255).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(l1(a, b), expected, rtol=1e-12)


def test_black_against_white_is_100_percent_and_0_db() -> None:
    black = torch.zeros(1, 4, 4, 3, dtype=torch.uint8)
    white = torch.full_like(black, 255)
    assert l1(black, white).tolist() == l1(white, black).tolist() == [100]
    assert psnr(black, white).tolist() == psnr(white, black).tolist() == [0]


def test_psnr_equals_scikit_image() -> None:
    a, b = _images(1), _images(2)
    expected = [
        peak_signal_noise_ratio(y.numpy(), x.numpy(), data_range=255)
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(psnr(a, b), expected, rtol=1e-12)


def test_over_the_hole_only_its_pixels_count() -> None:
    a, b, hole = _images(1), _images(2), _hole()
    outside_changed = torch.where(hole[..., None], a, _images(3))
    for metric in (l1, psnr):
        assert torch.equal(metric(a, b, hole), metric(outside_changed, b, hole))
        for index in range(len(a)):
            cut_a = a[index][hole[index]].reshape(1, 1, -1, 3)
            cut_b = b[index][hole[index]].reshape(1, 1, -1, 3)
            torch.testing.assert_close(metric(a, b, hole)[index], metric(cut_a, cut_b)[0])


def test_a_hole_of_everything_is_the_whole_image() -> None:
    a, b = _images(1), _images(2)
    everywhere = torch.ones(3, 12, 12, dtype=torch.bool)
    assert torch.equal(l1(a, b, everywhere), l1(a, b))
    assert torch.equal(psnr(a, b, everywhere), psnr(a, b))


def test_equal_images_have_no_error_and_infinite_psnr() -> None:
    a = _images(1)
    assert l1(a, a).tolist() == [0, 0, 0]
    assert psnr(a, a).tolist() == [float("inf")] * 3
    assert psnr(a, a, _hole()).tolist() == [float("inf")] * 3


def test_a_value_does_not_depend_on_its_batch() -> None:
    a, b = _images(1), _images(2)
    assert torch.equal(l1(a, b)[1:2], l1(a[1:2], b[1:2]))
    assert torch.equal(psnr(a, b)[1:2], psnr(a[1:2], b[1:2]))


@pytest.mark.parametrize("metric", [l1, psnr])
def test_bad_input_is_refused(metric: Callable[..., Tensor]) -> None:
    a, b, hole = _images(1), _images(2), _hole()
    with pytest.raises(ValueError, match="uint8"):
        metric(a.float(), b)
    with pytest.raises(ValueError, match="one shape"):
        metric(a, b[:2])
    with pytest.raises(ValueError, match="B×H×W×3"):
        metric(a.permute(0, 3, 1, 2), b.permute(0, 3, 1, 2))
    with pytest.raises(ValueError, match="bool hole"):
        metric(a, b, hole.float())
    hole[1] = False
    with pytest.raises(ValueError, match="hole"):
        metric(a, b, hole)
