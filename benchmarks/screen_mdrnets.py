"""Train MDRNets with other options for a few hundred steps, and score it on validation images.

Needs the trained parser, coarse network and reconstruction network of a profile; they are the same
for all rows. Each finished training appends a row to a CSV file, and rows that are already there
are skipped, so an interrupted screening continues. Test images are not used.

    python benchmarks/screen_mdrnets.py --profile real64-500 celebahq default plain@2

`plain@2` is the second seed. Without names, every entry of `CHANGES` is trained.
"""

import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config.load import Config, load_config
from mdrnets.config.profile import INCEPTION
from mdrnets.dag.pipeline import Pipeline
from mdrnets.data.assignment import read_assignment, select
from mdrnets.data.dataset import load_training_data
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.evaluation.refinement import CoarseFaces
from mdrnets.execution.program import profile_parser
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import resolved_options, training_context
from mdrnets.methods.mdrnets.method import MDRNets, Options, build
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.pixel import l1, psnr
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed
from mdrnets.training.fingerprint import fingerprint, short_hash
from mdrnets.training.launching import launch
from mdrnets.training.loop import train
from mdrnets.training.state import remove_states

CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "masked": {"encoder_input": "masked"},
    "plain": {"residual": False},
    "gated-norm": {"gated_norm": "instance"},
    "two-halvings": {"halvings": 2},
    "bilinear": {"resizing": "bilinear"},
    "framework-weights": {"initial_weights": "framework"},
    "unit-slots": {"init": "unit"},
    "filled-slots": {"init": "from_data"},
    "without-mrem": {"mrem": False},
    "without-both": {"guidance": "style"},
    "fifth-style": {"weights": {"style": 0.1}},
    "no-style": {"weights": {"style": 0.0}},
}
"""Name → options that replace those of the profile."""
SCREENED = sorted({key for changes in CHANGES.values() for key in changes})
COARSE = "coarse"
"""The row of the coarse face alone, which needs no training."""
KEY = ("profile", "dataset", "name", "seed", "steps")
"""The columns that tell trainings apart."""
COLUMNS = (
    *(*KEY, "options", "bin", "images"),
    *("hole_l1", "hole_psnr", "l1", "psnr", "frechet", "read_length", "read_entropy"),
)
CPU = torch.device("cpu")

Key = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A training with changed options, or the coarse face.

    Attributes:
        name: a key of `CHANGES`, or `COARSE`.
        number: of the training, from 1; each has its own seed.
        steps: 0 for the coarse face.
    """

    config: Config
    dataset: str
    name: str
    number: int
    steps: int

    @property
    def key(self) -> Key:
        """The values of the columns `KEY`."""
        return self.config.name, self.dataset, self.name, str(self.number), str(self.steps)

    @property
    def seed(self) -> int:
        return self.config.protocol.seed + self.number - 1


def main() -> None:
    parser = profile_parser(None, __doc__)
    parser.add_argument("--steps", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--csv", type=Path, default=Path("screening.csv"))
    parser.add_argument("--states", type=Path, help="folder of unfinished trainings")
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("names", nargs="*", help="of `CHANGES`, each with an optional @SEED")
    options = parser.parse_args()
    config = load_config(options.profile)
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    states = options.states or Path(tempfile.gettempdir()) / "mdrnets-screening"
    rows = []
    for text in options.names or CHANGES:
        name, _, number = text.partition("@")
        if name not in {COARSE, *CHANGES} or not (number or "1").isdecimal():
            known = ", ".join([COARSE, *CHANGES])
            parser.error(f"{text}: expected NAME or NAME@SEED; the names are {known}")
        steps = 0 if name == COARSE else options.steps
        rows.append(Row(config, options.dataset, name, int(number or "1"), steps))
    for row in rows:
        if row.key not in _find_finished(options.csv):
            _screen(row, options.csv, states)


def _screen(row: Row, path: Path, states: Path) -> None:
    """Train, score, and append a line for each bin to the CSV file."""
    method = _build(row)
    if row.name == COARSE:
        _append(path, row.key, _scores(row, CoarseFaces(method)))
        return
    job = Pipeline(row.config).find("train", [row.dataset, "mdrnets"])
    options = method.options.model_dump(mode="json")
    identity = fingerprint(
        parameters={"options": json.dumps(options), "seed": row.seed},
        inputs=job.inputs,
        code=job.code,
    )
    state_folder = states / f"{row.name}-{short_hash(identity)}"
    train(
        method,
        load_training_data(Layout(row.config.name), row.dataset, labels=False),
        seed=row.seed,
        log_every=row.steps,
        checkpoint_every=row.config.profile.training.checkpoint_every,
        loader_threads=row.config.profile.training.loader_threads,
        state_folder=state_folder,
        fingerprint=identity,
        fabric=launch(device="cpu", devices=1, precision="32-true"),
        channels_last=False,
        report=lambda progress: None,
    )
    method.eval()
    use = method.diagnostics()
    more = {
        "options": json.dumps({key: options[key] for key in SCREENED}),
        "read_length": use.get("memory/read_length"),
        "read_entropy": use.get("memory/read_entropy"),
    }
    _append(path, row.key, [scores | more for scores in _scores(row, method)])
    remove_states(state_folder)


def _build(row: Row) -> MDRNets:
    """MDRNets with the options of a row, untrained."""
    config = row.config
    context = training_context(config, Layout(config.name), network="mdrnets", dataset=row.dataset)
    values = resolved_options(config, "mdrnets", images=1).model_dump()
    if row.steps:
        values["steps"] = row.steps
    for key, change in CHANGES.get(row.name, {}).items():
        values[key] = {**values[key], **change} if isinstance(change, dict) else change
    torch.manual_seed(derived_seed(row.seed, "weights", row.dataset, "mdrnets"))
    return build(options=Options.model_validate(values), context=context)


def _scores(row: Row, method: Method) -> list[dict[str, Any]]:
    """The scores on the validation images, for each bin."""
    config, layout = row.config, Layout(row.config.name)
    network = build_feature_network(config.profile.frechet, weights=layout.weights(INCEPTION))
    pairs = read_assignment(layout.assignment(row.dataset), role="validation")
    images, holes = np.load(layout.images(row.dataset)), np.load(layout.holes())
    truth: np.ndarray | None = None
    result = []
    for bin_ in config.protocol.bins:
        part = [pair for pair in pairs if pair.bin == bin_]
        original, missing = select(part, images, holes)
        batches = complete_pairs(
            method,
            part,
            images=images,
            holes=holes,
            batch_size=20,
            seed=0,
            device=CPU,
            precision="32-true",
        )
        completed = np.concatenate([composites for composites, _ in batches])
        if truth is None:
            truth = extract_features(network, original, device=CPU)
        features = extract_features(network, completed, device=CPU)
        a, b, k = map(torch.from_numpy, (completed, original, missing))
        result.append(
            {
                "bin": bin_,
                "images": len(part),
                "hole_l1": l1(a, b, k).mean().item(),
                "hole_psnr": psnr(a, b, k).mean().item(),
                "l1": l1(a, b).mean().item(),
                "psnr": psnr(a, b).mean().item(),
                "frechet": frechet_distance(features, truth),
            }
        )
    return result


def _find_finished(path: Path) -> set[Key]:
    rows = read_table(path, COLUMNS) if path.exists() else []
    return {tuple(row[column] for column in KEY) for row in rows}


def _append(path: Path, key: Key, rows: Sequence[dict[str, Any]]) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerows(dict(zip(KEY, key, strict=True)) | row for row in rows)


if __name__ == "__main__":
    main()
