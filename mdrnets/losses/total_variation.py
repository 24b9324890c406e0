"""Total variation inside a region: penalises differences between neighbouring pixels.

Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions" (ECCV 2018,
https://arxiv.org/abs/1804.07723), equation 6: on the composite, in the hole dilated by one pixel.
"""

import torch.nn.functional as F
from torch import Tensor


def dilate(hole: Tensor, pixels: int = 1) -> Tensor:
    """Dilate B×1×H×W of zeros and ones with a square, by `pixels` in every direction."""
    return F.max_pool2d(hole, kernel_size=2 * pixels + 1, stride=1, padding=pixels)


def total_variation_loss(image: Tensor, region: Tensor) -> Tensor:
    """Sum of |a − b| over neighbouring pixels that are both in the region, divided by C·H·W.

    Args:
        image: B×C×H×W.
        region: B×1×H×W, 1 = inside.

    Returns:
        A scalar, averaged over the batch. The divisor is the size of the image, not of the region.
    """
    across = (image[..., 1:] - image[..., :-1]).abs() * region[..., 1:] * region[..., :-1]
    down = (image[..., 1:, :] - image[..., :-1, :]).abs() * region[..., 1:, :] * region[..., :-1, :]
    return (across.sum() + down.sum()) / image.numel()
