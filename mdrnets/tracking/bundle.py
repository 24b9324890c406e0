"""The records of finished executions as one archive, to share them with the results.

Records contain times and run ids, so they cannot be declared outputs of stages; DVC tracks their
archive as a separate file. The same records give the same bytes.
"""

import zipfile
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files import EARLIEST_TIME, atomic_write
from mdrnets.tracking.record import Record, RecordStore, curves_path, is_inside


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
            _add(packed, path, text.encode())
            if records.curves(record).exists():
                _add(packed, curves_path(path), records.curves(record).read_bytes())
    return len(finished)


def unpack(archive: Path, records: RecordStore) -> int:
    """Import the records of the outputs that exist here; returns how many.

    Raises:
        UserError: the archive is missing, or contains something that is not a record.
    """
    count = 0
    try:
        with zipfile.ZipFile(archive) as packed:
            members = set(packed.namelist())
            for name in sorted(members):
                if name.endswith(".json"):
                    record = Record.model_validate_json(packed.read(name))
                    if name != f"{record.name}.json":
                        raise ValueError(f"{name} holds the record of {record.name!r}")
                    if outside := [path for path in record.outputs if not is_inside(path)]:
                        raise ValueError(f"{name} names the output {outside[0]!r}")
                    curves = str(curves_path(Path(name)))
                    points = packed.read(curves) if curves in members else None
                    count += records.import_record(record, points)
    except FileNotFoundError:
        raise UserError(
            f"{archive}: not found, so the results have no records; their author can run "
            "`make record` and `dvc push`, after which `dvc pull` downloads it"
        ) from None
    except (zipfile.BadZipFile, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{archive}: not an archive of records ({reason}); run `dvc pull --force`"
        ) from None
    return count


def _add(packed: zipfile.ZipFile, path: Path, content: bytes) -> None:
    entry = zipfile.ZipInfo(path.as_posix(), EARLIEST_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, content)
