"""Reference runs: the numbers that later runs are compared with, and the accepted differences.

`reports/reference/NAME/` holds tables and curves, no images, and `run.json`: the run behind them,
its machines, and the tolerances with their reasons. `save.py` writes it, and `executions.csv`.
"""

from datetime import date
from pathlib import Path

from pydantic import Field

from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import sha256
from mdrnets.files.text import read_json_as
from mdrnets.layout import REFERENCE


class Tolerance(Options):
    """The accepted difference from a reference value: the larger of the two.

    Attributes:
        absolute: in the metric's unit.
        relative: share of the reference value.
    """

    absolute: float = Field(ge=0)
    relative: float = Field(ge=0)

    def allowed(self, reference: float) -> float:
        return max(self.absolute, self.relative * abs(reference))


class Tolerances(Options):
    """The accepted differences.

    Attributes:
        reason: why these.
        metrics: the tolerance of each metric.
        factors: by method, for it and its variants; a method that is not listed has 1.
    """

    reason: str
    metrics: dict[str, Tolerance]
    factors: dict[str, float] = Field(default_factory=dict)

    def allowed(self, method: str, metric: str, reference: float) -> float:
        """The largest accepted distance from a reference value."""
        factor = self.factors.get(NetworkId.parse(method).base, 1.0)
        return factor * self.metrics[metric].allowed(reference)


class Setting(Options):
    """The environment that, with the code, decides the last bits of a result.

    Attributes:
        cpu, gpus: names.
        torch: its version.
        threads: of each process.
    """

    cpu: str
    gpus: tuple[str, ...]
    torch: str
    threads: int


class RunCost(Options):
    """The cost of a run.

    Attributes:
        jobs: executions of stages.
        job_hours: total of all jobs, including the time in which they wait for a processor.
        cores: of the machine.
    """

    jobs: int
    job_hours: float
    cores: int


class ReferenceRun(Options):
    """`run.json`.

    Attributes:
        profile: of the run.
        command: reproduces the tables.
        commits: of the code of all trainings, completions and evaluations.
        made: when the last of them ended.
        cost: of all jobs behind the saved files.
        settings: of all trainings and evaluations.
        versions: of the packages that rendered the tables.
        tables: that are compared, file name → SHA-256.
        same_setting: tolerances if the code and the settings are the same.
        other_setting: tolerances otherwise.
    """

    profile: str
    command: str
    commits: tuple[str, ...]
    made: date
    cost: RunCost
    settings: tuple[Setting, ...]
    versions: dict[str, str]
    tables: dict[str, str]
    same_setting: Tolerances
    other_setting: Tolerances


def load_reference(name: str, profile: str) -> ReferenceRun:
    """Read the description of a reference run.

    Raises:
        UserError: the run is missing or invalid, or a table was edited.
    """
    reference = _read(name, profile)
    for file, digest in reference.tables.items():
        table = _path(name).with_name(file)
        if not table.is_file() or sha256(table) != digest:
            raise UserError(
                f"{table}: missing, or its SHA-256 differs from the one in run.json; restore it "
                "from git, or delete the folder and save a run again"
            )
    return reference


def list_reference_tables(name: str) -> list[str]:
    """The tables by which a run is compared with a reference run; empty if there is no such run.

    Raises:
        UserError: the run is invalid.
    """
    return list(_read(name, name).tables) if _path(name).is_file() else []


def _read(name: str, profile: str) -> ReferenceRun:
    path = _path(name)
    remedy = f"run `mdrnets keep --profile {profile} {name}` to save the present run as this one"
    return read_json_as(ReferenceRun, path, remedy=remedy)


def _path(name: str) -> Path:
    return REFERENCE / name / "run.json"
