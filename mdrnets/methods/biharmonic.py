"""Biharmonic interpolation: a classical baseline without learned parameters.

Damelin & Hoang, "On Surface Completion and Image Inpainting by Biharmonic Functions" (2018), as
implemented by scikit-image.
"""

import torch
from skimage.restoration import inpaint_biharmonic
from torch import Tensor

from mdrnets.config.options import Options as BaseOptions
from mdrnets.methods.base import BuildContext, Method, Phase


class Options(BaseOptions):
    """This method has no options."""


class Biharmonic(Method):
    """Fill each hole with the biharmonic interpolation of its border."""

    def phases(self) -> list[Phase]:
        return []

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        images = [
            inpaint_biharmonic(image, missing, channel_axis=0)
            for image, missing in zip(
                masked.double().cpu().numpy(), hole[:, 0].bool().cpu().numpy(), strict=True
            )
        ]
        output = torch.stack([torch.from_numpy(image) for image in images])
        return output.to(masked).clamp(-1, 1)


def build(*, options: Options, context: BuildContext) -> Biharmonic:
    return Biharmonic()
