"""Initial weights of MDRNets, as in the works from which its layers are taken.

SPADE and SEAN (their code): Xavier, normal, with a gain of .02. DeepFillv2 (TensorFlow's default):
Xavier, uniform. Biases are zero. Layers with spectral normalisation differ from these works.
"""

from typing import Annotated

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from mdrnets.config.marks import Cited
from mdrnets.networks.gated_conv import GatedConv2d

GAIN: Annotated[float, Cited("code of SPADE and SEAN")] = 0.02


def init_weights_as_cited(network: nn.Module) -> None:
    """Initialise all convolutions in place.

    The weights of spectrally normalised ones stay PyTorch's. Their scale does not change the first
    output, but with smaller weights Adam's steps would be relatively larger.
    """
    gated = {id(layer.conv) for layer in network.modules() if isinstance(layer, GatedConv2d)}
    for layer in network.modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
        if id(layer) in gated:
            nn.init.xavier_uniform_(layer.weight)
        elif not is_parametrized(layer):
            nn.init.xavier_normal_(layer.weight, gain=GAIN)
