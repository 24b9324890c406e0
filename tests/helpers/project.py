"""A project of toys in a folder: configuration, packed noise and an assignment, ready to train."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mdrnets.data.assignment import Pair, assign
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.files.tables import read_table, write_rows, write_table
from mdrnets.layout import Layout

ROOT = Path(__file__).parents[2]
SIZE = 32
TOY = "tests.helpers.toy"
LAYOUT = Layout("tiny")


def write_configuration(
    folder: Path,
    *,
    networks: Mapping[str, dict[str, Any]] | None = None,
    modules: Mapping[str, str] | None = None,
) -> None:
    """A method `toy` that uses a part `base`: both toys, on the data sets `one` and `two`.

    Args:
        folder: of the project.
        networks: options of networks, in place of the usual ones.
        modules: of networks, in place of the usual one.
    """
    modules = {"base": TOY, "toy": TOY} | dict(modules or {})
    options: dict[str, Any] = {
        "base": {"steps": 4, "batch_size": 2, "width": 3},
        "toy": {"steps": 11, "batch_size": 2},
    } | dict(networks or {})

    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["profile"] = "tiny"
    params["bins"] = {"1-20": [1, 2], "20-40": [3, 4]}
    params["components"] = {"base": {"title": "Base", "module": modules["base"], "dataset": 0}}
    toy = {"title": "Toy", "module": modules["toy"], "uses": ["base"], "inference_uses": ["base"]}
    params["methods"] = {"toy": toy}
    for key in ("ablation_base", "variants", "ablations", "figures", "per_class"):
        del params[key]
    _write_yaml(folder / "params.yaml", params)

    source = {"path": "nowhere.zip", "files": 1, "licence": "MIT"}
    dataset = {
        "title": "Noise",
        "published_as": "FFHQ",
        "faces": "noise",
        "split": {"rule": "last", "test": 5, "validation": 0},
    }
    profile = yaml.safe_load((ROOT / "profiles" / "demo.yaml").read_text(encoding="utf-8"))
    profile |= {
        "image_size": SIZE,
        "threads": 1,
        "sources": {"noise": source, "holes": source},
        "datasets": {"one": dataset, "two": dataset | {"title": "Other noise"}},
        "holes": {"source": "holes", "per_step": 6, "train": 0.2, "validation": 0.0, "test": 0.8},
        "methods": ["toy"],
        "variants": [],
        "training": {"log_every": 4, "checkpoint_every": 2},
        "completion_batch": 2,
        "networks": options,
    }
    _write_yaml(folder / "profiles" / "tiny.yaml", profile)


def write_data(folder: Path, *, size: int = SIZE) -> None:
    """Twelve labelled images for each data set, the last five for testing, and their holes."""
    generator = np.random.default_rng(8)
    hole_rows, holes = [], []
    for step in (1, 2, 3, 4):
        for number in range(6):
            hole = np.zeros((size, size), dtype=bool)
            hole[number : number + 3 * step, 2:-2] = True
            role = "test" if number else "train"
            hole_rows.append((f"{step}{number}", step, role, "0" * 64))
            holes.append(hole)
    write_table(folder / LAYOUT.hole_split(), HOLE_SPLIT_COLUMNS, hole_rows)
    _write_array(folder / LAYOUT.holes(), np.stack(holes))

    for name in ("one", "two"):
        roles = ["train"] * 7 + ["test"] * 5
        rows = [(f"{at:05d}", role, 1, "0" * 64) for at, role in enumerate(roles)]
        images = generator.integers(0, 256, (12, size, size, 3), dtype=np.uint8)
        write_table(folder / LAYOUT.split(name), SPLIT_COLUMNS, rows)
        _write_array(folder / LAYOUT.images(name), images)
        _write_array(folder / LAYOUT.labels(name), images[..., 0] % 14)
        pairs = assign(
            read_table(folder / LAYOUT.split(name), SPLIT_COLUMNS),
            read_table(folder / LAYOUT.hole_split(), HOLE_SPLIT_COLUMNS),
            np.stack(holes),
            bins={"1-20": [1, 2], "20-40": [3, 4]},
            seed=1,
            dataset=name,
        )
        write_rows(folder / LAYOUT.assignment(name), Pair, pairs)


def add_variants() -> None:
    """Two variants of `toy` for a table, of which the profile runs one."""
    with edit_yaml("params.yaml") as params, edit_yaml("profiles/tiny.yaml") as profile:
        params["ablation_base"] = "toy"
        params["variants"] = {
            name: {"title": f"w/o {name}", "options": {"width": 2}} for name in ("nose", "ear")
        }
        params["ablations"] = {"table2": {"title": "Table 2", "rows": ["nose", "ear", "full"]}}
        profile["variants"] = ["nose"]


@contextmanager
def edit_yaml(path: Path | str) -> Iterator[Any]:
    """Yield the values of a file, and write them back at the end."""
    values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    yield values
    _write_yaml(Path(path), values)


def _write_yaml(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def _write_array(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
