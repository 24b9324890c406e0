"""Every trained network of the project, as small as it can be built."""

from pathlib import Path
from typing import Any

import yaml

from tests.helpers.project import ROOT

SIZE = 64  # the least that suits PIC's discriminator and the face parser
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
ENTRIES = PARAMS["components"] | PARAMS["methods"]
TRAINED = [name for name, entry in ENTRIES.items() if entry.get("trained", True)]
TINY: dict[str, dict[str, Any]] = {
    "parser": {"width": 4},
    "coarse": {"levels": 3, "width": 4, "max_width": 8},
    "recon": {"width": 4, "downsamplings": 2},
    "pconv": {"levels": 3, "width": 4, "max_width": 8},
    "deepfillv2": {
        "width": 4, "dilations": [1, 2], "discriminator_base": 4, "discriminator_layers": 3,
    },
    "pic": {"reductions": 4, "base": 4, "cap": 8, "infer_blocks": 1},
    "ctsdg": {"levels": 3, "width": 4, "discriminator_base": 4, "edge_sigma": 1.0},
    "dsi": {
        "vqvae_width": 8, "vqvae_hidden": 4, "codes": 8, "code_channels": 4, "reseed_every": 1,
        "condition_base": 2, "condition_rates": [1], "channels": 8, "blocks": 1, "attentions": 1,
        "texture_width": 4, "texture_dilations": [1], "discriminator_base": 4,
        "discriminator_layers": 3,
    },
    "ict": {
        "prior_batch_size": 2, "grid": 8, "colours": 8, "width": 8, "heads": 2, "blocks": 1,
        "upsampler_base": 4, "upsampler_blocks": 1, "discriminator_base": 4,
    },
    "mdrnets": {
        "style_channels": 4, "style_width": 4, "width": 4, "dilations": [1], "spade_hidden": 4,
        "discriminator_base": 4, "slots": 3,
    },
}  # fmt: skip


def write_tiny_configuration(folder: Path, *, steps: int, checkpoint_every: int) -> None:
    """All of them in a profile `tiny`, on one data set, with every step in the history."""
    source = {"path": "nowhere.zip", "files": 1, "licence": "MIT"}
    dataset = {
        "title": "Noise",
        "published_as": "CelebA-HQ",
        "faces": "noise",
        "labels": {"source": "labels", "classes": "mdrnets14"},
        "split": {"rule": "last", "test": 5, "validation": 0},
    }
    profile = yaml.safe_load((ROOT / "profiles" / "demo.yaml").read_text(encoding="utf-8"))
    profile |= {
        "image_size": SIZE,
        "sources": {"noise": source, "labels": source, "holes": source},
        "datasets": {"one": dataset},
        "variants": [],
        "training": {"log_every": 1, "checkpoint_every": checkpoint_every},
        "networks": {
            name: options | {"steps": steps, "batch_size": 2} for name, options in TINY.items()
        },
    }
    (folder / "profiles").mkdir()
    for path, values in {"params": PARAMS, "profiles/tiny": profile}.items():
        (folder / f"{path}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
