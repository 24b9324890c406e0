"""L1 and PSNR of each image, over all its pixels or over its hole only.

Columns L1 (%) and PSNR (dB) of Table 1. The sums are sums of integers, so that a value depends
neither on the batch nor on the machine.
"""

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
    check_images(image, reference)
    difference = (image.to(torch.int16) - reference.to(torch.int16)).abs()
    return 100 * _mean(difference, hole) / 255


def psnr(image: Tensor, reference: Tensor, hole: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB: 10 log10(255² / MSE); infinite for equal images.

    For arguments and errors see `l1`. Returns float64 B.
    """
    check_images(image, reference)
    difference = image.to(torch.int32) - reference.to(torch.int32)
    return 10 * torch.log10(255**2 / _mean(difference.square(), hole))


def check_images(image: Tensor, reference: Tensor) -> None:
    """Raise ValueError unless both are uint8 B×H×W×3 of one shape."""
    if image.dtype != torch.uint8 or reference.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images, got {image.dtype} and {reference.dtype}")
    if image.shape != reference.shape or image.ndim != 4 or image.shape[-1] != 3:
        raise ValueError(
            f"expected two B×H×W×3 batches of one shape, got {tuple(image.shape)} and "
            f"{tuple(reference.shape)}"
        )


def _mean(errors: Tensor, hole: Tensor | None) -> Tensor:
    """Integer B×H×W×3 → float64 B."""
    if hole is None:
        return errors.sum(dim=(1, 2, 3)).double() / errors[0].numel()
    if hole.dtype != torch.bool or hole.shape != errors.shape[:3]:
        raise ValueError(
            f"expected a bool hole of shape {tuple(errors.shape[:3])}, got {hole.dtype} "
            f"{tuple(hole.shape)}"
        )
    pixels = hole.sum(dim=(1, 2))  # B
    if (pixels == 0).any():
        raise ValueError("expected at least one hole pixel in each image, got an empty hole")
    return (errors.sum(dim=3) * hole).sum(dim=(1, 2)).double() / (3 * pixels)
