"""Gated convolution: a convolution with a learned soft gate at every position and channel.

Yu et al., "Free-Form Image Inpainting with Gated Convolution" (ICCV 2019,
https://arxiv.org/abs/1806.03589), section 3.1.
"""

import torch
from torch import Tensor, nn


class GatedConv2d(nn.Module):
    """y = φ(norm(a)) ⊙ σ(g), where one convolution outputs a and g, in this order."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 3,
        stride: int = 1,
        padding: int | None = None,
        dilation: int = 1,
        norm: nn.Module | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        """Args:
        out_channels: channels of y; the convolution itself has twice as many.
        padding: zeros on each side; default dilation · (kernel_size − 1) / 2, for odd kernels.
        norm: normalisation of the features; the gate is not normalised.
        activation: φ; default ELU, as in DeepFillv2's code.
        """
        super().__init__()
        if padding is None:
            padding = dilation * (kernel_size - 1) // 2
        self.conv = nn.Conv2d(
            in_channels, 2 * out_channels, kernel_size, stride, padding, dilation=dilation
        )
        self.norm = nn.Identity() if norm is None else norm
        self.activation = nn.ELU() if activation is None else activation

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in_channels×H×W. Returns B×out_channels×H'×W'."""
        features, gate = self.conv(x).chunk(2, dim=1)
        gated: Tensor = self.activation(self.norm(features)) * torch.sigmoid(gate)
        return gated
