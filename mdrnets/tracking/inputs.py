"""Whether the inputs of an execution are what the jobs of the pipeline made.

The engines see that a file is newer, but not that somebody changed it: a digit edited in a summary
would be printed in Table 1. The records hold the hash of every output, so a stage compares.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mdrnets.dag.pipeline import Pipeline, snakemake_command
from mdrnets.errors import UserError, list_names
from mdrnets.tracking.dvc_lock import DvcLock
from mdrnets.tracking.record import FileHash, Record, read

TAKE_CHANGED = "MDRNETS_TAKE_CHANGED_INPUTS"
"""Environment variable: with the value 1, changed inputs are taken as they are."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChangedInput:
    """A file that is not what its job made.

    Attributes:
        maker: the job, for people.
        made: the hash that the file had when the job ended.
    """

    maker: str
    made: FileHash


@dataclass(frozen=True)
class InputCheck:
    """Inputs that are not known to be what a job of the pipeline made.

    Attributes:
        profile: its name.
        changed: by path.
        unrecorded: paths of files that a job makes, but no record describes.
    """

    profile: str
    changed: Mapping[str, ChangedInput]
    unrecorded: tuple[str, ...]

    def warn(self, *, taken: bool) -> None:
        """Warn of files whose change cannot be noticed, and of changed ones that are taken."""
        if taken and self.changed:
            logger.warning(
                "%s: changed after it was made, and used as it is (%s=1)",
                list_names(self.changed),
                TAKE_CHANGED,
            )
        if self.unrecorded:
            logger.warning(
                "%s: no run record says what it was when it was made, so a change cannot be "
                "noticed; after `dvc pull`, `make restore` restores the records",
                list_names(self.unrecorded),
            )

    def refuse(self, *, can_take: bool = True) -> None:
        """Refuse changed inputs.

        Args:
            can_take: whether the program takes them if the environment says so.

        Raises:
            UserError: an input has changed.
        """
        if not self.changed:
            return
        path, *others = self.changed
        how_to_take = f". To use it as it is, set {TAKE_CHANGED}=1" if can_take else ""
        also = f" (changed as well: {list_names(others)})" if others else ""
        raise UserError(
            f"{path}: changed after job `{self.changed[path].maker}` made it{also}; "
            f"{recovery_hint(path, self.profile)}{how_to_take}"
        )


def check_inputs(pipeline: Pipeline, inputs: Mapping[str, FileHash]) -> InputCheck:
    """Compare inputs with the records of their makers. Inputs that no job makes are ignored.

    The last successful execution of a maker counts. A file that DVC restored, from another commit
    or another run of the same job, is what `dvc.lock` describes.
    """
    records: dict[Path, Record | None] = {}
    changed: dict[str, ChangedInput] = {}
    unrecorded = []
    for name, current in inputs.items():
        maker = pipeline.makers.get(Path(name))
        if maker is None:
            continue
        path = pipeline.record_path(*maker)
        if path not in records:
            records[path] = read(path)
        record = records[path]
        made = record.made.get(name) if record is not None else None
        if made == current:
            continue
        # A job that was killed, or still runs, may have written its outputs already.
        if record is None or made is None or record.status in ("RUNNING", "KILLED"):
            unrecorded.append(name)
        else:
            stage, wildcards = maker
            changed[name] = ChangedInput(" ".join([stage.name, *wildcards.values()]), made)
    if changed:
        lock = DvcLock()
        changed = {name: c for name, c in changed.items() if not lock.describes(name)}
    return InputCheck(pipeline.config.name, changed, tuple(unrecorded))


def recovery_hint(path: str, profile: str) -> str:
    """How to get a changed file back, for error messages."""
    checkout = f" (`dvc checkout --force {path}`)" if path in DvcLock() else ""
    again = snakemake_command(profile, path)
    return f"put the original back{checkout} or make it again (`rm {path} && {again}`)"
