"""Compare the converted weights with a forward pass written from the published names."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.data.classes import CELEBAMASK_CLASSES, CLASSES, MERGED
from mdrnets.errors import UserError
from mdrnets.networks.bisenet import BiSeNet
from mdrnets.networks.published_bisenet import PUBLISHED_CLASSES, convert_published, merge_classes
from tests.helpers.published_weights import published_weights


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    return published_weights()


class _Reference:
    """The main head's logits, from weights by their published names."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def norm(self, name: str, x: Tensor) -> Tensor:
        of = (
            self.weights[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, *of)

    def unit(self, name: str, x: Tensor) -> Tensor:
        return self.norm(f"{name}.bn", self.conv(f"{name}.conv", x)).relu()

    def block(self, name: str, x: Tensor, stride: int) -> Tensor:
        y = self.norm(f"{name}.bn1", self.conv(f"{name}.conv1", x, stride)).relu()
        y = self.norm(f"{name}.bn2", self.conv(f"{name}.conv2", y))
        if f"{name}.downsample.0.weight" in self.weights:
            x = self.norm(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, stride))
        return (x + y).relu()

    def attend(self, name: str, x: Tensor) -> Tensor:
        x = self.unit(f"{name}.conv", x)
        pooled = F.adaptive_avg_pool2d(x, 1)
        return x * self.norm(f"{name}.bn_atten", self.conv(f"{name}.conv_atten", pooled)).sigmoid()

    def __call__(self, image: Tensor) -> Tensor:
        x = self.norm("cp.resnet.bn1", self.conv("cp.resnet.conv1", image, 2)).relu()
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        maps = []
        for layer in range(1, 5):
            x = self.block(f"cp.resnet.layer{layer}.0", x, 1 if layer == 1 else 2)
            x = self.block(f"cp.resnet.layer{layer}.1", x, 1)
            maps.append(x)
        x = self.attend("cp.arm32", maps[3])
        x = x + self.unit("cp.conv_avg", F.adaptive_avg_pool2d(maps[3], 1))
        x = self.unit("cp.conv_head32", F.interpolate(x, scale_factor=2))
        x = x + self.attend("cp.arm16", maps[2])
        x = self.unit("cp.conv_head16", F.interpolate(x, scale_factor=2))
        x = self.unit("ffm.convblk", torch.cat([maps[1], x], dim=1))
        attention = self.conv("ffm.conv1", F.adaptive_avg_pool2d(x, 1)).relu()
        x = x + x * self.conv("ffm.conv2", attention).sigmoid()
        x = self.conv("conv_out.conv_out", self.unit("conv_out.conv", x))
        return F.interpolate(x, size=image.shape[-2:], mode="bilinear", align_corners=True)


def test_the_published_file_has_13_3_million_weights(published: dict[str, Tensor]) -> None:
    parameters = [t for name, t in published.items() if name.endswith(("weight", "bias"))]
    assert sum(t.numel() for t in parameters) == 13_300_416


def test_converted_weights_give_the_published_outputs(published: dict[str, Tensor]) -> None:
    network = BiSeNet(n_classes=19, align_corners=True).eval()
    network.load_state_dict(convert_published(published, "file"))
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    normalised = network.colours((image + 1) / 2)
    with torch.inference_mode():
        torch.testing.assert_close(network(image), _Reference(published)(normalised))


@pytest.mark.parametrize("change", ["missing", "unknown", "shape"])
def test_other_weights_are_refused(published: dict[str, Tensor], change: str) -> None:
    weights = dict(published)
    if change == "missing":
        del weights["ffm.conv1.weight"]
    elif change == "unknown":
        weights["sp.conv1.conv.weight"] = torch.zeros(1)
    else:
        weights["conv_out.conv_out.weight"] = torch.zeros(14, 256, 1, 1)
    with pytest.raises(UserError, match=r"^file: .*79999_iter\.pth"):
        convert_published(weights, "file")


def test_the_published_order_of_classes_is_another_than_the_data_sets() -> None:
    assert set(PUBLISHED_CLASSES) == set(CELEBAMASK_CLASSES)
    assert PUBLISHED_CLASSES != CELEBAMASK_CLASSES
    assert [PUBLISHED_CLASSES.index(name) for name in ("nose", "hair", "hat")] == [10, 17, 18]


def test_merging_adds_probabilities() -> None:
    logits = torch.randn(2, 19, 4, 4, generator=torch.Generator().manual_seed(2))
    result = merge_classes(logits).softmax(dim=1)
    assert result.shape == (2, 14, 4, 4)
    expected = torch.zeros_like(result)
    for position, name in enumerate(PUBLISHED_CLASSES):
        expected[:, MERGED[name]] += logits.softmax(dim=1)[:, position]
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("name", PUBLISHED_CLASSES)
def test_a_sure_class_stays_sure(name: str) -> None:
    logits = torch.zeros(1, 19, 1, 1)
    logits[0, PUBLISHED_CLASSES.index(name)] = 20
    assert int(merge_classes(logits).argmax()) == MERGED[name]
    assert len(CLASSES) == 14
