"""Structural similarity of each image, in the variants that papers use, often without naming them.

Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (IEEE TIP
2004), equation 13. Equal to `skimage.metrics.structural_similarity`, batched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from mdrnets.config.marks import Cited
from mdrnets.metrics.pixel import check_images

Variant = Literal["gaussian11_rgb", "uniform7_rgb", "gaussian11_luma"]

C1: Annotated[float, Cited("Wang et al. 2004")] = (0.01 * 255) ** 2
C2: Annotated[float, Cited("Wang et al. 2004")] = (0.03 * 255) ** 2
BLOCK = 32  # outputs filtered at once: few products with zeros, and a strip stays in the cache
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


def ssim(
    images: Sequence[Tensor], reference: Tensor, *, variant: Variant = "gaussian11_rgb"
) -> Tensor:
    """SSIM, averaged over channels and over the pixels whose window lies inside the image.

    Computed in float64, because E[x²] − μ² suffers from cancellation in float32. The reference is
    filtered only once for all versions of an image.

    Args:
        images: K versions of each image, uint8 B×H×W×3 each.
        reference: uint8 B×H×W×3.
        variant: window, then what it is applied to: each RGB channel or the luma.

    Returns:
        float64 K×B, −1 to 1.

    Raises:
        ValueError: shapes or types differ from these, or an image is smaller than the window.
    """
    for image in images:
        check_images(image, reference)
    window = uniform7() if variant == "uniform7_rgb" else gaussian11()
    if min(reference.shape[1:3]) < len(window.weights):
        raise ValueError(
            f"expected images of at least the window's size {len(window.weights)}, got "
            f"{reference.shape[1]}×{reference.shape[2]}"
        )
    band = _band(window.weights).to(reference.device)
    luma = variant == "gaussian11_luma"
    versions = zip(reference, *images, strict=True)
    return torch.stack(
        [_one_image(torch.stack(same), band, window, luma=luma) for same in versions], dim=1
    )


def _one_image(versions: Tensor, band: Tensor, window: Window, *, luma: bool) -> Tensor:
    """uint8 (1 + K)×H×W×3, the reference first → float64 K.

    In strips of rows, whose moments stay in the cache.
    """
    margin = len(window.weights) - 1
    height, width = (size - margin for size in versions.shape[1:3])
    c1 = band.new_tensor(C1)
    both = band.new_tensor(C1 + C2 / window.covariance_scale)  # that scale divides both covariances
    total = band.new_zeros(len(versions) - 1)
    for top in range(0, height, BLOCK):
        x = _channels(versions[:, top : top + BLOCK + margin], luma=luma)
        products = torch.addcmul(both, x[0], x[1:], value=2)
        squares = torch.addcmul(torch.addcmul(both, x[0], x[0]), x[1:], x[1:])
        moments = _filter(torch.cat([x, products, squares]), band)
        means, products, squares = moments.split([len(x), len(products), len(squares)])

        # With a = 2 μx μy + C1, 2 σxy + C2 is the mean of 2 x y + C1 + C2, minus a; b likewise.
        a = torch.addcmul(c1, means[0], means[1:], value=2)
        b = torch.addcmul(torch.addcmul(c1, means[0], means[0]), means[1:], means[1:])
        similarity = products.sub_(a).mul_(a).div_(squares.sub_(b).mul_(b))
        total += similarity.sum(dim=(1, 2, 3))
    return total / (height * width * x.shape[1])


def _channels(images: Tensor, *, luma: bool) -> Tensor:
    """uint8 N×H×W×3 → float64 N×C×H×W, C = 3 or 1."""
    channels = images.permute(0, 3, 1, 2).contiguous().double()
    if not luma:
        return channels
    weights = channels.new_tensor(LUMA).view(1, 3, 1, 1)
    return (channels * weights).sum(dim=1, keepdim=True)


def _filter(x: Tensor, band: Tensor) -> Tensor:
    """N×C×H×W → N×C×(H−k+1)×(W−k+1): weighted means over the windows inside the image.

    A separable convolution as products of blocks with a band matrix: in float64 much faster than
    `conv2d`.

    Args:
        x: H ≤ BLOCK + k − 1.
        band: see `_band`.
    """
    margin = band.shape[1] - BLOCK
    height, width = (size - margin for size in x.shape[-2:])
    x = band[:height, : height + margin] @ x
    blocks = [
        x[..., left : left + BLOCK + margin] @ band[: width - left, : width - left + margin].mT
        for left in range(0, width, BLOCK)
    ]
    return torch.cat(blocks, dim=-1)


def _band(weights: Tensor) -> Tensor:
    """BLOCK×(BLOCK+k−1): row i holds the k weights from column i on."""
    band = weights.new_zeros(BLOCK, BLOCK + len(weights) - 1)
    for offset, weight in enumerate(weights):
        band.diagonal(offset)[:BLOCK] = weight
    return band
