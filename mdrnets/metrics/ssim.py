"""Structural similarity of each image, in the variants that papers use, often without naming them.

Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (IEEE TIP
2004), equation 13. Equal to `skimage.metrics.structural_similarity`, batched.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from mdrnets.config.marks import Cited
from mdrnets.metrics.pixel import check_images

Variant = Literal["gaussian11_rgb", "uniform7_rgb", "gaussian11_luma"]

C1: Annotated[float, Cited("Wang et al. 2004")] = (0.01 * 255) ** 2
C2: Annotated[float, Cited("Wang et al. 2004")] = (0.03 * 255) ** 2
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, full range, not rounded


@dataclass(frozen=True)
class Window:
    """A square window, as its one-dimensional weights.

    Attributes:
        weights: float64, sum 1.
        covariance_scale: 1 for the biased covariance, N / (N − 1) for the sample covariance.
    """

    weights: Tensor
    covariance_scale: float


def gaussian11() -> Window:
    """11×11, σ = 1.5, biased covariance: the original paper's."""
    offset = torch.arange(-5, 6, dtype=torch.float64)
    weights = torch.exp(-(offset**2) / (2 * 1.5**2))
    return Window(weights=weights / weights.sum(), covariance_scale=1.0)


def uniform7() -> Window:
    """7×7, equal weights, sample covariance: scikit-image's default."""
    weights = torch.full((7,), 1 / 7, dtype=torch.float64)
    return Window(weights=weights, covariance_scale=49 / 48)


def ssim(image: Tensor, reference: Tensor, *, variant: Variant = "gaussian11_rgb") -> Tensor:
    """SSIM, averaged over channels and over the pixels whose window lies inside the image.

    Computed in float64, because E[x²] − μ² suffers from cancellation in float32.

    Args:
        image: uint8 B×H×W×3.
        reference: uint8 B×H×W×3.
        variant: window, then what it is applied to: each RGB channel or the luma.

    Returns:
        float64 B, −1 to 1.

    Raises:
        ValueError: shapes or types differ from these, or an image is smaller than the window.
    """
    check_images(image, reference)
    window = uniform7() if variant == "uniform7_rgb" else gaussian11()
    if min(image.shape[1:3]) < len(window.weights):
        raise ValueError(
            f"expected images of at least the window's size {len(window.weights)}, got "
            f"{image.shape[1]}×{image.shape[2]}"
        )
    x, y = _channels(image, variant), _channels(reference, variant)

    mean_x, mean_y = _filter(x, window), _filter(y, window)
    product = mean_x * mean_y
    squares = mean_x.square() + mean_y.square()
    variances = window.covariance_scale * (_filter(x.square() + y.square(), window) - squares)
    covariance = window.covariance_scale * (_filter(x * y, window) - product)

    similarity = (2 * product + C1) * (2 * covariance + C2)
    similarity /= (squares + C1) * (variances + C2)
    return similarity.mean(dim=(1, 2, 3))


def _channels(image: Tensor, variant: Variant) -> Tensor:
    """uint8 B×H×W×3 → float64 B×C×H×W, C = 3 or 1."""
    channels = image.double().permute(0, 3, 1, 2)
    if variant != "gaussian11_luma":
        return channels.contiguous()
    weights = channels.new_tensor(LUMA).view(1, 3, 1, 1)
    return (channels * weights).sum(dim=1, keepdim=True)


def _filter(x: Tensor, window: Window) -> Tensor:
    """B×C×H×W → B×C×(H−k+1)×(W−k+1): weighted means over the windows inside the image.

    A separable convolution, computed as two products with band matrices: in float64 this is five
    times faster than `conv2d`.
    """
    rows, columns = (_band(window.weights.to(x.device), size) for size in x.shape[-2:])
    return rows @ x @ columns.mT


def _band(weights: Tensor, size: int) -> Tensor:
    """(size−k+1)×size: row i holds the weights from column i on."""
    positions = size - len(weights) + 1
    band = weights.new_zeros(positions, size)
    for offset, weight in enumerate(weights):
        band.diagonal(offset)[:positions] = weight
    return band
