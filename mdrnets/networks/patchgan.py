"""The 70×70 PatchGAN discriminator with spectral normalisation.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.2
(the network); Miyato et al. 2018 (spectral normalisation instead of its batch normalisation).
"""

from torch import Tensor, nn

from mdrnets.networks.spectral_norm import spectral_norm


class PatchDiscriminator(nn.Module):
    """Classifies every overlapping 70×70 patch of an image as real or fake."""

    def __init__(self, *, in_channels: int, base: int = 64, outer_bias: bool = False) -> None:
        """Args:
        base: channels of the first layer; the next three have 2, 4 and 8 times as many.
        outer_bias: whether the first and the last convolution have a bias, as in pix2pix.
        """
        super().__init__()
        widths = [in_channels, base, 2 * base, 4 * base, 8 * base, 1]
        strides = [2, 2, 2, 1, 1]
        layers: list[nn.Module] = []
        for number, stride in enumerate(strides):
            before, after = widths[number : number + 2]
            bias = outer_bias and number in (0, len(strides) - 1)
            layers.append(spectral_norm(nn.Conv2d(before, after, 4, stride, 1, bias=bias)))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers[:-1])  # the last convolution's output is the logit

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×C×H×W, H and W at least 24 and multiples of 8.

        Returns logits, B×1×(H/8 − 2)×(W/8 − 2).
        """
        logits: Tensor = self.layers(image)
        return logits
