import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils import parametrizations

from mdrnets.networks.spectral_norm import spectral_norm
from tests.helpers.seen_results import SeenResults


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 5, 3), nn.ConvTranspose2d(3, 5, 3)])
def test_it_is_pytorchs_with_the_same_names(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    torch.manual_seed(0)
    expected = parametrizations.spectral_norm(copy.deepcopy(layer))
    torch.manual_seed(0)
    actual = spectral_norm(copy.deepcopy(layer))
    assert actual.state_dict().keys() == expected.state_dict().keys()
    for _ in range(3):
        assert torch.equal(actual.weight, expected.weight)


@pytest.mark.parametrize(
    ("normalise", "half"), [(spectral_norm, False), (parametrizations.spectral_norm, True)]
)
def test_on_a_gpu_sigma_has_full_precision_under_autocast(
    normalise: Callable[[nn.Module], nn.Module], half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On fake tensors: a CPU's autocast leaves matrix-vector products alone. PyTorch's has not."""
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: True)
    layer, fake, results = normalise(nn.Conv2d(16, 16, 3)), FakeTensorMode(), SeenResults()
    with fake:
        layer._apply(lambda tensor: fake.from_tensor(tensor).to("cuda:0"))
        with torch.autocast("cuda", torch.bfloat16), results:
            assert layer.weight.dtype == torch.float32
    assert any(dtype == torch.bfloat16 for _, _, dtype in results.seen) == half
