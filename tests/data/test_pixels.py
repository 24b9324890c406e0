from pathlib import Path

import numpy as np
import pytest
import torch

from mdrnets.data.pixels import hole_to_tensor, to_pixels, to_tensor

EVERY_VALUE = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)


def test_every_pixel_value_comes_back() -> None:
    assert np.array_equal(to_pixels(to_tensor(EVERY_VALUE)), EVERY_VALUE)


def test_the_range_is_minus_one_to_one_and_channels_come_first() -> None:
    image = np.zeros((2, 4, 5, 3), dtype=np.uint8)
    image[1, 2, 3] = (0, 128, 255)
    tensor = to_tensor(image)
    assert tensor.shape == (2, 3, 4, 5) and tensor.dtype == torch.float32
    assert tensor[1, :, 2, 3].tolist() == pytest.approx([-1, 1 / 255, 1], abs=1e-6)


def test_what_is_outside_the_range_is_cut_off_and_the_rest_rounded() -> None:
    values = torch.tensor([-3.0, -1.0, 0.0, 0.9999, 2.0]).view(1, 1, 1, 5).expand(1, 3, 1, 5)
    assert to_pixels(values)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_half_precision_is_taken_too() -> None:
    assert to_pixels(torch.ones(1, 3, 2, 2, dtype=torch.bfloat16)).min() == 255


def test_a_memory_map_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", EVERY_VALUE)
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    tensor = to_tensor(images[:, ::-1])
    assert np.array_equal(to_pixels(tensor), EVERY_VALUE[:, ::-1])


def test_a_hole_is_one_where_pixels_are_missing() -> None:
    holes = np.zeros((2, 4, 5), dtype=bool)
    holes[1, 2, 3] = True
    tensor = hole_to_tensor(holes)
    assert tensor.shape == (2, 1, 4, 5) and tensor.dtype == torch.float32
    assert tensor.nonzero().tolist() == [[1, 0, 2, 3]]
