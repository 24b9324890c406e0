"""L1 and PSNR of each image, over all its pixels or over its hole only.

Columns L1 (%) and PSNR (dB) of Table 1. The sums are sums of integers, so that a value depends
neither on the batch nor on the machine.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def l1(image: Tensor, reference: Tensor, hole: Tensor | None = None) -> Tensor:
    """Mean absolute difference in percent of the range.

    Args:
        image: uint8 B×H×W×3.
        reference: uint8 B×H×W×3.
        hole: bool B×H×W, True = hole: the pixels to compare; None compares all.

    Returns:
        float64 B, 0 to 100.

    Raises:
        ValueError: shapes or types differ from these, or a hole is empty.
    """
    return 100 * _mean(torch.abs, image, reference, hole) / 255


def psnr(image: Tensor, reference: Tensor, hole: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB: 10 log10(255² / MSE); infinite for equal images.

    For arguments and errors see `l1`. Returns float64 B.
    """
    return 10 * torch.log10(255**2 / _mean(torch.square, image, reference, hole))


def check_images(image: Tensor, reference: Tensor) -> None:
    """Raise ValueError unless both are uint8 B×H×W×3 of one shape."""
    if image.dtype != torch.uint8 or reference.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images, got {image.dtype} and {reference.dtype}")
    if image.shape != reference.shape or image.ndim != 4 or image.shape[-1] != 3:
        raise ValueError(
            f"expected two B×H×W×3 batches of one shape, got {tuple(image.shape)} and "
            f"{tuple(reference.shape)}"
        )


def _mean(
    error: Callable[[Tensor], Tensor], image: Tensor, reference: Tensor, hole: Tensor | None
) -> Tensor:
    """The mean of `error` of the differences of each image, float64 B."""
    check_images(image, reference)
    pixels: Tensor | int = image.shape[1] * image.shape[2]
    if hole is not None:
        if hole.dtype != torch.bool or hole.shape != image.shape[:3]:
            raise ValueError(
                f"expected a bool hole of shape {tuple(image.shape[:3])}, got {hole.dtype} "
                f"{tuple(hole.shape)}"
            )
        pixels = hole.sum(dim=(1, 2))  # B
        if (pixels == 0).any():
            raise ValueError("expected at least one hole pixel in each image, got an empty hole")
    sums = torch.zeros(len(image), dtype=torch.float64, device=image.device)
    for index, (a, b) in enumerate(zip(image, reference, strict=True)):  # each fits the cache
        difference = a.to(torch.int16) - b  # H×W×3
        if hole is not None:
            difference *= hole[index].unsqueeze(2)
        sums[index] = error(difference.double()).sum()  # exact: integers below 2^53
    return sums / (3 * pixels)
