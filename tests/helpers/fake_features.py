"""Perceptual features without weights."""

import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.networks.features import PerceptualFeatures


class FakeFeatures(PerceptualFeatures):
    """Pooled image maps at VGG's resolutions: `relu3_2` at a quarter, `pool3` at an eighth.

    The six channels are the (prepared) image and its square, so that Gram matrices and standard
    deviations differ from the plain means.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        x = self._preprocess(image, normalise)
        maps = torch.cat([x, x.square()], dim=1)
        return [F.avg_pool2d(maps, _stride(tap)) for tap in taps]


def _stride(tap: str) -> int:
    result = re.fullmatch(r"relu([1-5])_[1-4]|pool([1-5])", tap)
    if result is None:
        raise KeyError(tap)
    after_relu, after_pool = result.groups()
    return 2 ** (int(after_relu) - 1) if after_relu else 2 ** int(after_pool)
