"""The records of finished executions as one archive, to share them with the results.

Records contain times and run ids, so they cannot be declared outputs of stages; DVC tracks their
archive as a separate file. The same records give the same bytes.
"""

import logging
import zipfile
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from mdrnets.errors import UserError
from mdrnets.files import add_deflated, atomic_write
from mdrnets.files.archives import open_zip, read_member
from mdrnets.files.text import unreadable_error
from mdrnets.tracking.curves import curves_path
from mdrnets.tracking.record import Record, is_inside
from mdrnets.tracking.record_store import RecordStore

REMEDY = "run `dvc pull --force`"
MAX_CURVES_BYTES = 2**30
"""The curves of one training: some hundred bytes for each logged step."""

logger = logging.getLogger(__name__)


def pack(records: RecordStore, archive: Path) -> int:
    """Write the records of finished executions with their curves; returns how many.

    Raises:
        UserError: there are none.
    """
    finished = [r for r in records.latest() if r.status == "FINISHED"]
    if not finished:
        raise UserError(
            f"{records.folder}: no record of a finished execution found; run the workflow first"
        )
    with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for record in finished:
            # Another machine has another MLflow database.
            text = record.model_copy(update={"mlflow": None}).model_dump_json(indent=1) + "\n"
            path = Path(f"{record.name}.json")
            add_deflated(packed, path, text.encode())
            if records.curves(record).exists():
                add_deflated(packed, curves_path(path), records.curves(record).read_bytes())
    return len(finished)


def unpack(archive: Path, records: RecordStore, *, is_current: Callable[[Record], bool]) -> int:
    """Import the records of the outputs that exist here; returns how many.

    This machine's own record of the same outputs stays, unless only the other one is current. A
    damaged record is skipped with a warning: its outputs have no record then.

    Args:
        archive: what `pack` wrote.
        records: of this machine.
        is_current: whether a record has today's code and parameters.

    Raises:
        UserError: the archive is missing or damaged, holds no readable record, or a record has the
            name of another one.
    """
    if not archive.exists():
        raise UserError(
            f"{archive}: not found, so the results have no records; their author can run "
            "`make record` and `dvc push`, after which `dvc pull` downloads it"
        )
    count = 0
    readable = False
    with open_zip(archive, remedy=REMEDY) as packed:
        for name in sorted(set(packed.namelist())):
            if not name.endswith(".json"):
                continue
            try:
                record, points = _read(packed, name)
            except UserError as error:
                logger.warning("%s; its outputs have no record", error)
                continue
            if name != f"{record.name}.json":
                raise UserError(
                    f"{archive}: {name} holds the record of {record.name!r}; do not trust this "
                    "archive"
                )
            if outside := [path for path in record.outputs if not is_inside(path)]:
                raise UserError(
                    f"{archive}: {name} names the output {outside[0]!r}; do not trust this archive"
                )
            readable = True
            keeps = is_current if is_current(record) else _always
            count += records.import_record(record, points, keeps=keeps)
    if not readable:
        raise UserError(f"{archive}: found no readable record; {REMEDY}")
    return count


def _always(own: Record) -> bool:
    return True


def _read(packed: zipfile.ZipFile, name: str) -> tuple[Record, bytes | None]:
    """A record and its curves."""
    content = read_member(packed, name, remedy=REMEDY)
    try:
        record = Record.model_validate_json(content)
    except ValidationError as error:
        raise unreadable_error(
            str(packed.filename), error, kind="a record", remedy=REMEDY, member=name
        ) from None
    curves = str(curves_path(Path(name)))
    points = None
    if curves in packed.namelist():
        points = read_member(packed, curves, remedy=REMEDY, limit=MAX_CURVES_BYTES)
    return record, points
