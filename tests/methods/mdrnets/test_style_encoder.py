import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.methods.mdrnets.style_encoder import StyleEncoder


def test_it_has_the_published_size() -> None:
    with torch.device("meta"):
        network = StyleEncoder(channels=256, width=32)
    sizes = [parameter.numel() for parameter in network.parameters()]
    weights = [parameter.numel() for parameter in network.parameters() if parameter.dim() > 1]
    assert sum(weights) == 977_760
    assert sum(sizes) == 978_496


def test_512_channels_have_1568_thousand_weights() -> None:
    with torch.device("meta"):
        network = StyleEncoder(channels=512, width=32)
    weights = [parameter.numel() for parameter in network.parameters() if parameter.dim() > 1]
    assert sum(weights) == 1_567_584


def test_the_features_have_half_the_size_and_lie_in_the_range_of_tanh() -> None:
    torch.manual_seed(0)
    features = StyleEncoder(channels=5, width=2)(torch.randn(2, 3, 32, 24))
    assert features.shape == (2, 5, 16, 12)
    assert features.abs().max() < 1


def test_images_are_encoded_independently() -> None:
    torch.manual_seed(0)
    network, images = StyleEncoder(channels=5, width=2), torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(network(images)[:1], network(images[:1]))


def test_five_convolutions_and_four_normalisations() -> None:
    layers = list(StyleEncoder(channels=5, width=2).layers)
    assert sum(isinstance(layer, nn.Conv2d) for layer in layers) == 4
    assert sum(isinstance(layer, nn.ConvTranspose2d) for layer in layers) == 1
    assert sum(isinstance(layer, nn.InstanceNorm2d) for layer in layers) == 4


def test_its_cost_at_full_size() -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        StyleEncoder(channels=256, width=32)(torch.zeros(1, 3, 256, 256))
    assert round(counter.get_total_flops() / 2e9, 1) == 11.5  # 15.2 if zeros between pixels count
