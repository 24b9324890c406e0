"""Partial convolution: a convolution over valid pixels only, with an automatic mask update.

Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions" (ECCV 2018,
https://arxiv.org/abs/1804.07723), section 3.1, equations 1 and 2.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Part = tuple[Tensor, Tensor]
"""Features B×C×H×W and where they are valid, B×1×H×W of zeros and ones."""


class PartialConv2d(nn.Module):
    """Partial convolution of one or more tensors, each with its own validity.

    Over each k×k window with features X and validity M (equal in shape, C×k×k):

        x' = Wᵀ(X ⊙ M) · C·k² / sum(M) + b,  m' = 1    where sum(M) > 0
        x' = 0,                              m' = 0    elsewhere

    C·k² is constant: zero padding counts as a hole, so image borders are renormalised too.

    All channels of one tensor are valid at the same places, so one validity channel per tensor
    is enough: sum(M) is the sum over tensors of C_i · (box sum of m_i). This equals the
    authors' multi-channel masks without their second convolution.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        bias: bool = False,
    ) -> None:
        """Args: in_channels: sum over all parts. kernel_size: odd; padding is kernel_size // 2."""
        super().__init__()
        padding = kernel_size // 2
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.window = in_channels * kernel_size**2
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding=padding, bias=False
        )
        # Separate from the convolution, because it is added after the renormalisation.
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1)) if bias else None

    def forward(self, parts: Sequence[Part]) -> Part:
        """Args: parts: (features B×C_i×H×W, valid B×1×H×W), concatenated on channels in order.

        Returns features B×out_channels×H'×W', exactly 0 where still invalid, and their validity
        B×1×H'×W'. No gradient flows through validities.
        """
        raw = self.conv(torch.cat([features * valid for features, valid in parts], dim=1))

        with torch.no_grad():
            counts = [features.shape[1] * self._box_sum(valid) for features, valid in parts]
            count = torch.stack(counts).sum(dim=0)
            valid = (count > 0).to(count.dtype)
            ratio = valid * self.window / count.clamp(min=1)  # binary masks: count is 0 or ≥ 1

        output = raw * ratio.to(raw.dtype)
        if self.bias is not None:
            output = output + self.bias * valid
        return output, valid

    def _box_sum(self, valid: Tensor) -> Tensor:
        # Pooling keeps float32 under autocast, where a convolution would round the counts.
        return F.avg_pool2d(valid, self.kernel_size, self.stride, self.padding, divisor_override=1)
