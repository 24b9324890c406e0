"""What each method costs, and whether its training improved on the untrained network.

Times are read from the run records of this machine. They differ from run to run, so costs.csv and
costs.md are not declared outputs; they are written next to the tables if there are records.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mdrnets.config.load import Config
from mdrnets.evaluation.summary import Validation
from mdrnets.files import write_text
from mdrnets.files.markdown import format_table
from mdrnets.files.tables import write_table
from mdrnets.files.text import read_json_as
from mdrnets.layout import Layout
from mdrnets.methods.model_files import load_model_config
from mdrnets.tracking.record import Record
from mdrnets.tracking.record_store import RecordStore

COLUMNS = {  # in the CSV → in the Markdown
    "dataset": "data",
    "method": "method",
    "parameters": "parameters",
    "gmacs": "GMAC/image",
    "steps": "steps",
    "training_seconds": "training s",
    "training_memory_mib": "peak MiB",
    "completions_per_second": "completions/s",
    "hole_l1_trained": "hole L1 %: trained",
    "hole_l1_untrained": "untrained",
    "hole_l1_mean_fill": "mean fill",
}
NOTE = """\
Training seconds: wall-clock time of all attempts on a machine named below, while other jobs ran.
Steps: of all phases together. GMAC: 10⁹ multiply-accumulates of the convolutions and matrix
products of one completion, sampling included. Hole L1: over the pixels of the hole, on {images}
validation images with holes of {bin} %; of the trained network, of the untrained one, and of a fill
with the mean colour of the valid pixels. It is a check, not a result. An untrained MDRNets returns
nearly the face of its trained coarse network; refinement.md compares the two.
"""


@dataclass(frozen=True)
class Costs:
    """The costs of all trainings.

    Attributes:
        rows: one row for each training, with the keys of `COLUMNS`.
        note: how to read the columns.
        machine: all machines that ran a training.
    """

    rows: list[dict[str, Any]]
    note: str
    machine: str

    @property
    def text_rows(self) -> list[list[str]]:
        """The rows in the order of `COLUMNS`."""
        return [[_format(row[column]) for column in COLUMNS] for row in self.rows]


def read_costs(config: Config, layout: Layout) -> Costs | None:
    """The costs of all trainings that have a record; None: there are no records."""
    rows = list(_rows(config, layout))
    if not rows:
        return None
    counts = sorted({row["validation_images"] for row in rows} - {0})
    images = " or ".join(map(str, counts)) or "no"
    note = NOTE.format(images=images, bin=config.protocol.largest_bin)
    return Costs(rows, note, " and ".join(dict.fromkeys(row["machine"] for row in rows)))


def write_costs(config: Config, layout: Layout) -> None:
    """Write `costs.csv` and `costs.md`, if there are records."""
    costs = read_costs(config, layout)
    if costs is None:
        return
    values = [[row[column] for column in COLUMNS] for row in costs.rows]
    write_table(layout.report("costs.csv"), list(COLUMNS), values)
    body = format_table(list(COLUMNS.values()), costs.text_rows, labels=2)
    text = f"# Costs\n\n{body}\n\n{costs.note}\nMachine: {costs.machine}.\n"
    write_text(layout.report("costs.md"), text)


def _rows(config: Config, layout: Layout) -> Iterator[dict[str, Any]]:
    records = RecordStore(layout.records)
    for dataset in config.profile.datasets:
        for name, network in config.trained.items():
            if dataset not in config.training_datasets(name):
                continue
            training = records.finished(f"train-{dataset}-{name}")
            if training is None or not layout.model_config(dataset, name).is_file():
                continue
            completion = records.finished(f"complete-{dataset}-{name}")
            path = layout.validation(dataset, name)
            validation = None
            if path.is_file():
                validation = read_json_as(Validation, path, remedy="run the validate stage")
            model = load_model_config(layout.model_config(dataset, name))
            yield {
                "dataset": dataset,
                "method": network.title,
                "parameters": model.parameters,
                "gmacs": validation.gmacs if validation else None,
                "steps": model.options.get("steps"),
                "training_seconds": training.seconds,
                "training_memory_mib": (training.peak_memory or 0) / 2**20,
                "completions_per_second": completion.measurements.get("images_per_second")
                if completion
                else None,
                "hole_l1_trained": validation.trained if validation else None,
                "hole_l1_untrained": validation.untrained if validation else None,
                "hole_l1_mean_fill": validation.mean_fill if validation else None,
                "validation_images": validation.images if validation else 0,
                "machine": _describe_machine(training),
            }


def _describe_machine(record: Record) -> str:
    machine = record.machine
    gpus = f", {', '.join(machine.gpus)}" if machine.gpus else ""
    return f"{machine.cpu}, {machine.cores} cores{gpus}; {record.threads} thread(s) per job"


def _format(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
