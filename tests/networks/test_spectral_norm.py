import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from mdrnets.networks.spectral_norm import spectral_norm


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 5, 3), nn.ConvTranspose2d(3, 5, 3)])
def test_it_is_pytorchs_with_the_same_names(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    torch.manual_seed(0)
    expected = parametrizations.spectral_norm(copy.deepcopy(layer))
    torch.manual_seed(0)
    found = spectral_norm(copy.deepcopy(layer))
    assert found.state_dict().keys() == expected.state_dict().keys()
    for _ in range(3):
        assert torch.equal(found.weight, expected.weight)


def test_under_autocast_sigma_has_full_precision() -> None:
    torch.manual_seed(0)
    layer = spectral_norm(nn.Conv2d(16, 16, 3)).eval()
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        assert layer(torch.zeros(1, 16, 4, 4)).dtype == torch.bfloat16  # autocast acts
        under_autocast = layer.weight
    assert torch.equal(under_autocast, layer.weight)
