"""Spectral normalisation whose σ is computed in full precision under autocast.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (ICLR 2018).
"""

from typing import TypeVar

from torch import Tensor, nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import register_parametrization

from mdrnets.networks.precision import without_autocast

Layer = TypeVar("Layer", bound=nn.Conv2d | nn.ConvTranspose2d)


def spectral_norm(layer: Layer) -> Layer:
    """Divide the layer's weight by its largest singular value, as PyTorch's function does.

    One power iteration at every use in train mode, none in eval mode. Under autocast PyTorch's own
    σ has bfloat16's error of up to 0.2 %.
    """
    outputs = 1 if isinstance(layer, nn.ConvTranspose2d) else 0  # dimension of the weight
    register_parametrization(layer, "weight", SpectralNorm(layer.weight, dim=outputs))
    return layer


class SpectralNorm(_SpectralNorm):
    """PyTorch's parametrisation, without autocast."""

    def forward(self, weight: Tensor) -> Tensor:
        """Return weight / σ, in the weight's type."""
        with without_autocast(weight):
            normalised: Tensor = super().forward(weight)
            return normalised
