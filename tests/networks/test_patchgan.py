import torch
from torch import nn

from mdrnets.networks.patchgan import PatchDiscriminator


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_has_the_published_size() -> None:
    assert _count(PatchDiscriminator(in_channels=3)) == 2_763_776
    assert _count(PatchDiscriminator(in_channels=2)) == 2_762_752


def test_only_the_first_and_the_last_convolution_can_have_a_bias() -> None:
    network = PatchDiscriminator(in_channels=3, base=4, outer_bias=True)
    convolutions = [layer for layer in network.layers if isinstance(layer, nn.Conv2d)]
    assert [layer.bias is not None for layer in convolutions] == [True, False, False, False, True]


def test_the_map_is_that_of_the_70_pixel_patchgan() -> None:
    network = PatchDiscriminator(in_channels=3, base=2)
    assert network(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 1, 2, 2)


def test_a_logit_sees_exactly_70_pixels() -> None:
    network = PatchDiscriminator(in_channels=1, base=2).eval()
    image = torch.randn(1, 1, 256, 256, requires_grad=True)
    network(image)[0, 0, 15, 15].backward()
    assert image.grad is not None
    touched = image.grad[0, 0].abs().sum(dim=0).nonzero()
    assert int(touched.max() - touched.min()) + 1 == 70


def test_every_convolution_is_close_to_spectral_norm_one() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(in_channels=3, base=4).train()
    for _ in range(200):  # each pass is one step of the power iteration
        network(torch.zeros(1, 3, 32, 32))
    network.eval()
    for layer in network.layers:
        if isinstance(layer, nn.Conv2d):
            norm = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
            torch.testing.assert_close(norm, torch.ones(()), rtol=1e-3, atol=1e-3)
