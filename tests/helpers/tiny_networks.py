"""Builds and trains the tiny networks, on noise."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from mdrnets.data.dataset import TrainingData
from mdrnets.methods.base import BuildContext, Trainable
from mdrnets.networks.frozen import freeze
from mdrnets.training.history import History
from mdrnets.training.loop import train
from tests.helpers.fake_features import FakeFeatures
from tests.helpers.tiny import ENTRIES, SIZE, TINY


def tiny_network(name: str, **options: Any) -> Trainable:
    """Always the same weights. Args: options: in place of the tiny ones."""
    parts = {part: freeze(tiny_network(part)) for part in ENTRIES[name].get("uses", [])}
    module = importlib.import_module(ENTRIES[name]["module"])
    values = {"steps": 6, "batch_size": 2} | TINY[name] | options
    torch.manual_seed(5)
    trainable: Trainable = module.build(
        options=module.Options.model_validate(values),
        context=BuildContext(image_size=SIZE, features=FakeFeatures, frozen=parts),
    )
    return trainable


def tiny_data() -> TrainingData:
    """Six images of noise, all with label maps, and four holes."""
    rng = np.random.default_rng(0)
    holes = np.zeros((4, SIZE, SIZE), dtype=bool)
    for row, hole in enumerate(holes):
        hole[8 + row : 40, 10 : 30 + row] = True
    rows = np.arange(6)
    return TrainingData(
        images=rng.integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8),
        image_rows=rows,
        labels=rng.integers(0, 14, (6, SIZE, SIZE), dtype=np.uint8),
        labelled_rows=rows,
        label_rows=rows,
        holes=holes,
        hole_rows=np.arange(4),
    )


def train_tiny(trainable: Trainable, folder: Path, fabric: Fabric, **changes: Any) -> History:
    """Train it with its state in `folder`; `changes` are of the loop's arguments."""
    arguments: dict[str, Any] = {
        "seed": 3,
        "log_every": 3,
        "checkpoint_every": 2,
        "state_folder": folder,
        "fingerprint": {},
        "fabric": fabric,
        "channels_last": False,
        "loader_threads": 0,
        "report": lambda progress: None,
    }
    return train(trainable, tiny_data(), **(arguments | changes))
