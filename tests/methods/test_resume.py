"""Every network of the project, stopped in every phase, ends as one that was never stopped."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save

from mdrnets.data.dataset import TrainingData
from mdrnets.methods.base import Setting, Trainable
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze
from mdrnets.training.loop import Progress, train

STEPS, CHECKPOINT_EVERY = 6, 2
PARAMS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
ENTRIES = PARAMS["parts"] | PARAMS["methods"]
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


class Died(BaseException):
    """As if the process had died here; what was not saved is lost."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    rng = np.random.default_rng(0)
    holes = np.zeros((4, 64, 64), dtype=bool)
    for row, hole in enumerate(holes):
        hole[8 + row : 40, 10 : 30 + row] = True
    rows = np.arange(6)
    return TrainingData(
        images=rng.integers(0, 256, (6, 64, 64, 3), dtype=np.uint8),
        image_rows=rows,
        labels=rng.integers(0, 14, (6, 64, 64), dtype=np.uint8),
        labelled_rows=rows,
        label_rows=rows,
        holes=holes,
        hole_rows=np.arange(4),
    )


@pytest.fixture
def build(fake_features: Callable[[str], PerceptualFeatures]) -> Callable[[str], Trainable]:
    def built(name: str) -> Trainable:
        parts = {part: freeze(built(part)) for part in ENTRIES[name].get("uses", [])}
        module = importlib.import_module(ENTRIES[name]["module"])
        options = module.Options.model_validate({"steps": STEPS, "batch_size": 2} | TINY[name])
        torch.manual_seed(5)
        trainable: Trainable = module.build(
            options=options, setting=Setting(image_size=64, features=fake_features, frozen=parts)
        )
        return trainable

    return built


def _train(
    trainable: Trainable, data: TrainingData, folder: Path, stop_at: int | None = None
) -> bytes:
    def report(progress: Progress) -> None:
        if progress.step == stop_at:
            raise Died

    train(
        trainable,
        data,
        seed=3,
        log_every=3,
        checkpoint_every=CHECKPOINT_EVERY,
        state_folder=folder,
        fingerprint={},
        device=torch.device("cpu"),
        precision="32-true",
        report=report,
        say=lambda line: None,
    )
    return save({name: value.contiguous() for name, value in trainable.state_dict().items()})


@pytest.mark.parametrize("name", TRAINED)
def test_a_stop_in_any_phase_changes_nothing(
    name: str, build: Callable[[str], Trainable], data: TrainingData, tmp_path: Path
) -> None:
    unbroken = _train(build(name), data, tmp_path / "unbroken")
    ends = np.cumsum([phase.steps for phase in build(name).phases()])
    for end in ends:
        # The last step of the phase, and so at times before its only checkpoint.
        folder = tmp_path / f"stopped-at-{end}"
        with pytest.raises(Died):
            _train(build(name), data, folder, stop_at=int(end))
        assert _train(build(name), data, folder) == unbroken, f"stopped at step {end}"


def test_all_trained_networks_of_the_project_are_here() -> None:
    assert set(TINY) == set(TRAINED)
