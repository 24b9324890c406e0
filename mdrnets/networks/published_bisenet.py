"""The face parser with published weights: its layer names, and its classes merged into 14.

https://github.com/zllrunning/face-parsing.PyTorch, `79999_iter.pth`: BiSeNet without spatial path,
trained on all of CelebAMask-HQ, including the test images. Its 19 classes are those of
CelebAMask-HQ in another order.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mdrnets.data.classes import CLASSES, MERGED
from mdrnets.errors import UserError
from mdrnets.networks.bisenet import BiSeNet

PUBLISHED_CLASSES = (
    *("background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear"),
    *("ear_r", "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat"),
)

# Published prefixes → our prefixes; each contains a convolution followed by its BatchNorm.
_NAMES = (
    (r"cp\.resnet\.conv1", r"context.resnet.stem.0.0"),
    (r"cp\.resnet\.bn1", r"context.resnet.stem.0.1"),
    (r"cp\.resnet\.layer(\d)\.(\d)\.conv1", r"context.resnet.stage\1.\2.body.0.0"),
    (r"cp\.resnet\.layer(\d)\.(\d)\.bn1", r"context.resnet.stage\1.\2.body.0.1"),
    (r"cp\.resnet\.layer(\d)\.(\d)\.conv2", r"context.resnet.stage\1.\2.body.1"),
    (r"cp\.resnet\.layer(\d)\.(\d)\.bn2", r"context.resnet.stage\1.\2.body.2"),
    (r"cp\.resnet\.layer(\d)\.(\d)\.downsample\.0", r"context.resnet.stage\1.\2.shortcut.1"),
    (r"cp\.resnet\.layer(\d)\.(\d)\.downsample\.1", r"context.resnet.stage\1.\2.shortcut.2"),
    (r"cp\.arm(16|32)\.conv\.conv", r"context.attention\1.conv.0"),
    (r"cp\.arm(16|32)\.conv\.bn", r"context.attention\1.conv.1"),
    (r"cp\.arm(16|32)\.conv_atten", r"context.attention\1.attention.0"),
    (r"cp\.arm(16|32)\.bn_atten", r"context.attention\1.attention.1"),
    (r"cp\.conv_head(16|32)\.conv", r"context.after\1.0"),
    (r"cp\.conv_head(16|32)\.bn", r"context.after\1.1"),
    (r"cp\.conv_avg\.conv", r"context.pooled.0"),
    (r"cp\.conv_avg\.bn", r"context.pooled.1"),
    (r"ffm\.convblk\.conv", r"fusion.conv.0"),
    (r"ffm\.convblk\.bn", r"fusion.conv.1"),
    (r"ffm\.conv1", r"fusion.attention.0"),
    (r"ffm\.conv2", r"fusion.attention.2"),
    (r"conv_out(16|32|)\.conv\.conv", r"head\1.conv.0"),
    (r"conv_out(16|32|)\.conv\.bn", r"head\1.conv.1"),
    (r"conv_out(16|32|)\.conv_out", r"head\1.classify"),
)


def convert_published(weights: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Rename published weights to our names.

    Args:
        weights: the content of the published file.
        source: the file or the key of the profile that the error names.

    Raises:
        UserError: the weights belong to another network.
    """
    renamed = {_rename(name): tensor for name, tensor in weights.items()}
    with torch.device("meta"):
        expected = BiSeNet(n_classes=len(PUBLISHED_CLASSES)).state_dict()
    for name in dict.fromkeys([*expected, *renamed]):
        if (
            name not in renamed
            or name not in expected
            or renamed[name].shape != expected[name].shape
        ):
            raise UserError(
                f"{source}: expected the weights of 79999_iter.pth of face-parsing.PyTorch, but "
                f"{name} is missing, of another shape, or unknown; download that file"
            )
    return renamed


def _rename(name: str) -> str:
    module, _, tensor = name.rpartition(".")
    for pattern, ours in _NAMES:
        if match := re.fullmatch(pattern, module):
            return f"{match.expand(ours)}.{tensor}"
    return name


def merge_classes(logits: Tensor) -> Tensor:
    """Compute logits of the 14 classes; the probabilities of merged classes are added.

    Args:
        logits: B×19×H×W, in the order of `PUBLISHED_CLASSES`.

    Returns:
        B×14×H×W.
    """
    groups: list[list[int]] = [[] for _ in CLASSES]
    for position, name in enumerate(PUBLISHED_CLASSES):
        groups[MERGED[name]].append(position)
    return torch.stack([logits[:, group].logsumexp(dim=1) for group in groups], dim=1)
