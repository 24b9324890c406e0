"""The feature networks of the Fréchet distance: one vector for each image.

With `inception-v3`, and the weights and pre-processing of pytorch-fid, the distance is FID (Heusel
et al. 2017). `effnet-lite0` needs no download, because a Python package contains its ImageNet
weights; distances between its features are named after it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.errors import UserError
from mdrnets.files import sha256
from mdrnets.networks.features import ColourNormalisation, EffNetLiteFeatures, load_published
from mdrnets.networks.frozen import freeze

FeatureName = Literal["inception-v3", "effnet-lite0"]

INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
INCEPTION_URL = (
    f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{INCEPTION_FILE}"
)
INCEPTION_SHA256 = "6726825d"  # the first digits
BATCH = 32  # fixed, because the batch size can change the last bits


class FeatureNetwork(nn.Module):
    """A frozen network that turns images into vectors.

    Attributes:
        dimensions: D.
    """

    dimensions: int

    def forward(self, image_01: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] → B×D."""
        raise NotImplementedError


class InceptionFeatures(FeatureNetwork):
    """Inception-v3 as used by FID: pool3, 2,048 dimensions, input resized to 299×299.

    Args:
        weights: the state dict of pytorch-fid's file.
    """

    dimensions = 2048

    def __init__(self, *, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        network = fid_inception()
        network.load_state_dict(dict(weights), assign=True)
        network.fc = nn.Identity()  # the output is then that of pool3
        self.network = freeze(network)

    def forward(self, image_01: Tensor) -> Tensor:
        x = F.interpolate(image_01, size=(299, 299), mode="bilinear", align_corners=False)
        features: Tensor = self.network(2 * x - 1)
        return features


def fid_inception() -> nn.Module:
    """The network of `pytorch_fid.inception.fid_inception_v3`, without weights (device `meta`).

    Built from that module's blocks, because the function itself downloads the weights.
    """
    from pytorch_fid.inception import (
        FIDInceptionA,
        FIDInceptionC,
        FIDInceptionE_1,
        FIDInceptionE_2,
    )
    from torchvision.models import inception_v3

    with torch.device("meta"):
        network: nn.Module = inception_v3(
            weights=None, num_classes=1008, aux_logits=False, init_weights=False
        )
        network.Mixed_5b = FIDInceptionA(192, pool_features=32)
        network.Mixed_5c = FIDInceptionA(256, pool_features=64)
        network.Mixed_5d = FIDInceptionA(288, pool_features=64)
        network.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
        network.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
        network.Mixed_7b = FIDInceptionE_1(1280)
        network.Mixed_7c = FIDInceptionE_2(2048)
    return network


class EffNetLitePooled(FeatureNetwork):
    """EfficientNet-Lite0: its last feature map, averaged over positions; 1,280 dimensions.

    The input is resized bilinearly to 224×224, the size of its training images, with antialiasing
    when downscaling.
    """

    dimensions = 1280

    def __init__(self) -> None:
        super().__init__()
        self.network = freeze(EffNetLiteFeatures().network)
        self.colours = ColourNormalisation()

    def forward(self, image_01: Tensor) -> Tensor:
        x = F.interpolate(image_01, size=(224, 224), mode="bilinear", antialias=True)
        maps: Tensor = self.network.extract_features(self.colours(x))  # B×1280×7×7
        return maps.mean(dim=(2, 3))


def build_feature_network(name: FeatureName, *, weights: Path) -> FeatureNetwork:
    """The network of this name.

    Args:
        name: as in the profile.
        weights: file of Inception's weights; the other network's package contains its own.

    Raises:
        UserError: Inception's weights are missing, or their SHA-256 differs.
    """
    if name == "effnet-lite0":
        return EffNetLitePooled()
    return InceptionFeatures(weights=load_inception_weights(weights))


def load_inception_weights(path: Path) -> dict[str, Tensor]:
    """Read pytorch-fid's weights file. Nothing is downloaded.

    Raises:
        UserError: the file is missing, or its SHA-256 differs.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: file not found; FID needs these weights: add the source `inception_v3` to "
            f"the profile, which downloads {INCEPTION_URL} (SHA-256 {INCEPTION_SHA256}…), or set "
            "`frechet: effnet-lite0`"
        )
    if not (digest := sha256(path)).startswith(INCEPTION_SHA256):
        raise UserError(
            f"{path}: found SHA-256 {digest[:8]}…, expected {INCEPTION_SHA256}…; remove the file "
            f"and download it again from {INCEPTION_URL}"
        )
    return load_published(path)


def extract_features(
    network: FeatureNetwork,
    images: np.ndarray,
    *,
    device: torch.device,
    progress: ProgressBar = no_progress_bar,
    label: str = "features",
) -> np.ndarray:
    """Features of all images.

    Args:
        network: on `device`.
        images: uint8 N×H×W×3, for example memory-mapped.
        device: device of the network.
        progress: shows the progress, in batches.
        label: label of the progress.

    Returns:
        float32 N×D.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"expected uint8 N×H×W×3, got {images.dtype} {images.shape}")
    features = np.empty((len(images), network.dimensions), dtype=np.float32)
    starts = range(0, len(images), BATCH)
    for start in progress(starts, total=len(starts), label=label):
        batch = torch.tensor(images[start : start + BATCH], device=device)
        image_01 = batch.permute(0, 3, 1, 2).float() / 255  # channels last in memory: faster
        with torch.inference_mode():
            features[start : start + BATCH] = network(image_01).cpu().numpy()
    return features
