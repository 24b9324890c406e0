"""SN-PatchGAN: a discriminator for holes of any shape, where every feature is a logit.

Yu et al., "Free-Form Image Inpainting with Gated Convolution" (ICCV 2019,
https://arxiv.org/abs/1806.03589), section 3.3.
"""

from torch import Tensor, nn

from mdrnets.networks.spectral_norm import spectral_norm

MAX_GROWTH = 4  # widths relative to the first layer


class SNPatchGAN(nn.Module):
    """Spectrally normalised 5×5 convolutions of stride 2, LeakyReLU after each, the last included.

    There is no final one-channel layer: the loss uses all values of the last map.
    """

    def __init__(self, *, in_channels: int, base: int = 64, layers: int = 6) -> None:
        """Args:
        base: channels of the first layer; the second has 2, all further ones 4 times as many.
        layers: 6 layers reduce 256×256 to 4×4.
        """
        super().__init__()
        blocks: list[nn.Module] = []
        before = in_channels
        for layer in range(layers):
            after = base * min(2**layer, MAX_GROWTH)
            conv = nn.Conv2d(before, after, kernel_size=5, stride=2, padding=2)
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            blocks += [spectral_norm(conv), nn.LeakyReLU(0.2)]
            before = after
        self.layers = nn.Sequential(*blocks)

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×in_channels×H×W. Returns logits B×4·base×H/2^layers×W/2^layers."""
        logits: Tensor = self.layers(image)
        return logits
