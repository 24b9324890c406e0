"""What each method costs, and whether its training was good for anything.

Times come from the records of this machine, so these files are no declared outputs: they differ
from run to run, and are written beside the tables where there are records.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from mdrnets.config.load import Config
from mdrnets.data.tables import write_table
from mdrnets.evaluation.summary import Validation
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.tracking.record import Record, RecordStore
from mdrnets.tracking.record import read as read_record

COLUMNS = {  # of the CSV → of the Markdown
    "dataset": "data",
    "method": "method",
    "parameters": "parameters",
    "gmacs": "GMAC an image",
    "steps": "steps",
    "training_seconds": "training s",
    "training_memory_mib": "peak MiB",
    "completions_per_second": "completions/s",
    "hole_l1_trained": "hole L1 %: trained",
    "hole_l1_untrained": "untrained",
    "hole_l1_mean_fill": "mean fill",
}
NOTE = """\
Training seconds are wall-clock time of all attempts on the machine below, with other jobs beside
it; steps are those of all phases together. GMAC: 10⁹ multiply-accumulates of the convolutions and
matrix products of one completion, sampling included. Hole L1: over the hole's pixels of {images}
validation images in the bin {bin} %, after and before the training, and of the mean colour of the
valid pixels; it is a check, not a result.
"""


@dataclass(frozen=True)
class Costs:
    """What is known of them.

    Attributes:
        rows: one a training, by the keys of `COLUMNS`.
        note: how to read the columns.
        machine: of the first training.
    """

    rows: list[dict[str, Any]]
    note: str
    machine: str

    @property
    def printed(self) -> list[list[str]]:
        """The rows in the order of `COLUMNS`."""
        return [[_printed(row[column]) for column in COLUMNS] for row in self.rows]


def read_costs(config: Config, layout: Layout) -> Costs | None:
    """The costs of all networks of the profile that have a record; None: there are no records."""
    rows = list(_rows(config, layout))
    if not rows:
        return None
    images = max(row["validation_images"] for row in rows)
    note = NOTE.format(images=images, bin=config.protocol.largest_bin)
    return Costs(rows, note, rows[0]["machine"])


def write_costs(config: Config, layout: Layout) -> None:
    """Write `costs.csv` and `costs.md`, where there are records."""
    costs = read_costs(config, layout)
    if costs is None:
        return
    values = [[row[column] for column in COLUMNS] for row in costs.rows]
    write_table(layout.report("costs.csv"), list(COLUMNS), values)
    body = tabulate(
        costs.printed,
        headers=list(COLUMNS.values()),
        tablefmt="pipe",
        disable_numparse=True,
        colalign=("left", "left", *["right"] * (len(COLUMNS) - 2)),
    )
    text = f"# Costs\n\n{body}\n\n{costs.note}\nMachine: {costs.machine}.\n"
    write_text(layout.report("costs.md"), text)


def _rows(config: Config, layout: Layout) -> Iterator[dict[str, Any]]:
    records = RecordStore(layout.records)
    for dataset in config.profile.datasets:
        for name, network in config.trained.items():
            if config.trained_on(name, dataset) != dataset:
                continue
            training = _finished(records, f"train-{dataset}-{name}")
            if training is None:
                continue
            completion = _finished(records, f"complete-{dataset}-{name}")
            path = layout.validation(dataset, name)
            checked = Validation.model_validate(_saved(path)) if path.is_file() else None
            model = _saved(layout.model_config(dataset, name))
            yield {
                "dataset": dataset,
                "method": network.title,
                "parameters": model["parameters"],
                "gmacs": checked.gmacs if checked else None,
                "steps": model["options"]["steps"],
                "training_seconds": training.seconds,
                "training_memory_mib": (training.peak_memory or 0) / 2**20,
                "completions_per_second": completion.measurements.get("images_per_second")
                if completion
                else None,
                "hole_l1_trained": checked.trained if checked else None,
                "hole_l1_untrained": checked.untrained if checked else None,
                "hole_l1_mean_fill": checked.mean_fill if checked else None,
                "validation_images": checked.images if checked else 0,
                "machine": _machine(training),
            }


def _saved(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _finished(records: RecordStore, name: str) -> Record | None:
    record = read_record(records.path(name))
    return record if record is not None and record.status == "FINISHED" else None


def _machine(record: Record) -> str:
    machine = record.machine
    gpus = f", {', '.join(machine.gpus)}" if machine.gpus else ""
    return f"{machine.cpu}, {machine.cores} cores{gpus}; {record.threads} thread(s) a job"


def _printed(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
