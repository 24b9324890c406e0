"""Each method at its published size completes one image of 256×256.

DSI and ICT would sample a thousand codes one by one; their networks are run at full size in
`dsi/` and `ict/`.
"""

import importlib
from pathlib import Path

import pytest
import torch
import yaml

from mdrnets.methods.base import BuildContext, Method, Trainable
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze

PARAMS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
ENTRIES = PARAMS["components"] | PARAMS["methods"]


def _features(name: str) -> PerceptualFeatures:
    """A placeholder that fails when called: completion needs no features."""
    return PerceptualFeatures()


def _build(name: str) -> Trainable:
    parts = {part: freeze(_build(part)) for part in ENTRIES[name].get("inference_uses", [])}
    module = importlib.import_module(ENTRIES[name]["module"])
    torch.manual_seed(0)
    trainable: Trainable = module.build(
        options=module.Options(steps=2),
        context=BuildContext(image_size=256, features=_features, frozen=parts),
    )
    return trainable


@pytest.mark.parametrize("name", ["pconv", "deepfillv2", "pic", "ctsdg", "mdrnets"])
def test_it_completes_an_image(name: str) -> None:
    method = freeze(_build(name))
    assert isinstance(method, Method)
    generator = torch.Generator().manual_seed(0)
    hole = torch.zeros(1, 1, 256, 256)
    hole[..., 70:180, 90:200] = 1
    masked = (torch.rand(1, 3, 256, 256, generator=generator) * 2 - 1) * (1 - hole)
    with torch.no_grad():
        output = method.complete(masked, hole, generator)
    assert output.shape == (1, 3, 256, 256)
    assert output.isfinite().all()
    assert output.abs().max() <= 1
