import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from pytorch_fid import inception
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.metrics.features import (
    BATCH,
    INCEPTION_FILE,
    FeatureNetwork,
    InceptionFeatures,
    build_feature_network,
    extract_features,
)
from mdrnets.networks.features import EffNetLiteFeatures
from tests.helpers.random_inception import random_weights

CPU = torch.device("cpu")
T = TypeVar("T")


def _images(count: int, *, size: int = 32, seed: int = 0) -> np.ndarray:
    shape = (count, size, size, 3)
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def effnet() -> FeatureNetwork:
    return build_feature_network("effnet-lite0", weights=Path("nowhere"))


class MeanColour(FeatureNetwork):
    dimensions = 3

    def forward(self, image_01: Tensor) -> Tensor:
        return image_01.mean(dim=(2, 3))


def test_inception_is_pytorch_fids_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same random weights give the same features; pytorch-fid loads ours key for key."""
    weights = random_weights()
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda url, progress: weights)
    theirs = inception.InceptionV3([3]).eval()
    ours = InceptionFeatures(weights=weights)

    image_01 = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = theirs(image_01)[0].flatten(1)
        result = ours(image_01)
    assert result.shape == (1, ours.dimensions) == (1, 2048)
    assert expected.std() > 0.01
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


def test_inception_never_goes_to_the_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(inception, "load_state_dict_from_url", refuse)
    with pytest.raises(UserError) as error:
        build_feature_network("inception-v3", weights=tmp_path / INCEPTION_FILE)
    for part in (INCEPTION_FILE, "mseitzer/pytorch-fid", "fid_weights", "6726825d"):
        assert part in str(error.value)
    InceptionFeatures(weights=random_weights())


def test_other_weights_under_inceptions_name_are_refused(tmp_path: Path) -> None:
    torch.save({}, tmp_path / INCEPTION_FILE)
    with pytest.raises(UserError, match="6726825d"):
        build_feature_network("inception-v3", weights=tmp_path / INCEPTION_FILE)


def test_effnet_pools_the_packages_features(effnet: FeatureNetwork) -> None:
    """At 224², nothing is resized: the vector before the package's dropout and classifier."""
    image_01 = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    perceptual = EffNetLiteFeatures()
    prepared = perceptual._preprocess(2 * image_01 - 1, normalise=True)
    with torch.inference_mode():
        expected = perceptual.network._avg_pooling(perceptual.network.extract_features(prepared))
        result = effnet(image_01)
    assert result.shape == (2, effnet.dimensions) == (2, 1280)
    torch.testing.assert_close(result, expected.flatten(1), rtol=1e-4, atol=1e-4)


def test_effnet_stays_frozen(effnet: FeatureNetwork) -> None:
    effnet.train()
    assert not any(module.training for module in effnet.get_submodule("network").modules())
    assert not any(parameter.requires_grad for parameter in effnet.parameters())


def test_features_are_float32_in_the_order_of_the_images() -> None:
    images = _images(2 * BATCH + 5, size=8)
    features = extract_features(MeanColour(), images, device=CPU)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, images.mean(axis=(1, 2)) / 255, rtol=1e-5)


def test_features_are_the_same_each_time(effnet: FeatureNetwork) -> None:
    images = _images(3)
    first, second = (extract_features(effnet, images, device=CPU) for _ in range(2))
    assert first.shape == (3, 1280)
    assert np.array_equal(first, second)
    assert np.isfinite(first).all()


def test_effnet_tells_a_distorted_image_from_its_original(effnet: FeatureNetwork) -> None:
    smooth = np.linspace(0, 255, 32).astype(np.uint8)
    image = np.broadcast_to(smooth[None, :, None, None], (1, 32, 32, 3)).copy()
    slight, strong = image.copy(), image.copy()
    slight[:, 12:16, 12:16] = 0
    strong[:, 4:28, 4:28] = 0
    a, b, c = extract_features(effnet, np.concatenate([image, slight, strong]), device=CPU)
    assert 0 < np.linalg.norm(a - b) < np.linalg.norm(a - c)


def test_progress_is_told_the_number_of_batches() -> None:
    seen: list[tuple[int, str]] = []

    def progress(items: Iterable[T], /, *, total: int, label: str) -> Iterator[T]:
        seen.append((total, label))
        return iter(items)

    extract_features(
        MeanColour(), _images(BATCH + 1, size=8), device=CPU, progress=progress, label="faces"
    )
    assert seen == [(2, "faces")]


def test_images_in_another_form_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        extract_features(MeanColour(), np.zeros((2, 8, 8, 3)), device=CPU)
    with pytest.raises(ValueError, match=r"\(2, 3, 8, 8\)"):
        extract_features(MeanColour(), np.zeros((2, 3, 8, 8), dtype=np.uint8), device=CPU)
