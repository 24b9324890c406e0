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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config.load import Config, load_config
from mdrnets.config.profile import INCEPTION
from mdrnets.data.assignment import read_assignment, select
from mdrnets.data.dataset import load_training_data
from mdrnets.data.pixels import to_pixels, to_tensor
from mdrnets.execution.command import profile_parser
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout
from mdrnets.methods.building import resolved_options, training_context
from mdrnets.methods.mdrnets.method import Options, build
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.pixel import l1, psnr
from mdrnets.networks.composite import composite
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed
from mdrnets.training.launching import launch
from mdrnets.training.loop import train

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
COLUMNS = (
    *("name", "seed", "steps", "options", "bin", "images"),
    *("hole_l1", "hole_psnr", "l1", "psnr", "frechet", "read_length", "read_entropy"),
)

Complete = Callable[[Tensor, Tensor], Tensor]


def main() -> None:
    parser = profile_parser(None, __doc__)
    parser.add_argument("--steps", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--csv", type=Path, default=Path("screening.csv"))
    parser.add_argument("--states", type=Path, help="folder of unfinished trainings")
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("names", nargs="*", help="of `CHANGES`, each with an optional @SEED")
    options = parser.parse_args()
    config = load_config(options.profile)
    threads = config.profile.threads
    set_numerics(device="cpu", precision="32-true", threads=threads)
    states = options.states or Path(tempfile.gettempdir()) / "mdrnets-screening"
    for wanted in options.names or CHANGES:
        name, _, seed = wanted.partition("@")
        key = (name, seed or "1", "0" if name == COARSE else str(options.steps))
        if key in _find_finished(options.csv):
            continue
        rows = _screen(
            config,
            options.dataset,
            name,
            seed=int(key[1]),
            steps=options.steps,
            state_folder=states / "-".join(key),
        )
        _append(options.csv, [{"name": key[0], "seed": key[1], "steps": key[2]} | r for r in rows])


def _screen(
    config: Config, dataset: str, name: str, *, seed: int, steps: int, state_folder: Path
) -> list[dict[str, Any]]:
    """Train one variant; return its scores, one row for each bin."""
    layout = Layout(config.name)
    seed = config.protocol.seed + seed - 1
    context = training_context(config, layout, network="mdrnets", dataset=dataset)
    values = resolved_options(config, "mdrnets", images=1).model_dump() | {"steps": steps}
    changes = {
        key: {**values[key], **change} if isinstance(change, dict) else change
        for key, change in CHANGES.get(name, {}).items()
    }
    torch.manual_seed(derived_seed(seed, "weights", dataset, "mdrnets"))
    method = build(options=Options.model_validate(values | changes), context=context)
    if name == COARSE:
        return _scores(config, dataset, method.complete_coarsely, {})
    train(
        method,
        load_training_data(layout, dataset, labels=False),
        seed=seed,
        log_every=steps,
        checkpoint_every=config.profile.training.checkpoint_every,
        loader_threads=config.profile.training.loader_threads,
        state_folder=state_folder,
        fingerprint={"options": json.dumps(method.options.model_dump(mode="json"))},
        fabric=launch(device="cpu", devices=1, precision="32-true"),
        channels_last=False,
        report=lambda progress: None,
    )
    method.eval()
    use = method.diagnostics()
    chosen = method.options.model_dump(mode="json")
    more = {
        "options": json.dumps({key: chosen[key] for key in SCREENED}),
        "read_length": use.get("memory/read_length"),
        "read_entropy": use.get("memory/read_entropy"),
    }

    def complete(masked: Tensor, hole: Tensor) -> Tensor:
        return method.complete(masked, hole, torch.Generator())

    return _scores(config, dataset, complete, more)


@torch.inference_mode()
def _scores(
    config: Config, dataset: str, complete: Complete, more: Mapping[str, Any]
) -> list[dict[str, Any]]:
    layout = Layout(config.name)
    network = build_feature_network(config.profile.frechet, weights=layout.weights(INCEPTION))
    pairs = read_assignment(layout.assignment(dataset), role="validation")
    images, holes = np.load(layout.images(dataset)), np.load(layout.holes())
    truth: np.ndarray | None = None
    rows = []
    for bin_ in config.protocol.bins:
        part = [pair for pair in pairs if pair.bin == bin_]
        original, missing = select(part, images, holes)
        image, hole = to_tensor(original), torch.from_numpy(missing).float()[:, None]
        completed = to_pixels(
            torch.cat(
                [
                    composite(i, complete(i * (1 - h), h), h)
                    for i, h in zip(image.split(20), hole.split(20), strict=True)
                ]
            )
        )
        if truth is None:
            truth = extract_features(network, original, device=torch.device("cpu"))
        features = extract_features(network, completed, device=torch.device("cpu"))
        a, b, k = (torch.from_numpy(array) for array in (completed, original, missing))
        rows.append(
            {
                "bin": bin_,
                "images": len(part),
                "hole_l1": l1(a, b, k).mean().item(),
                "hole_psnr": psnr(a, b, k).mean().item(),
                "l1": l1(a, b).mean().item(),
                "psnr": psnr(a, b).mean().item(),
                "frechet": frechet_distance(features, truth),
                **more,
            }
        )
    return rows


def _find_finished(path: Path) -> set[tuple[str, str, str]]:
    rows = read_table(path) if path.exists() else []
    return {(row["name"], row["seed"], row["steps"]) for row in rows}


def _append(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
