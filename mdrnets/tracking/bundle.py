"""The records of finished executions as one archive, so that provenance travels with results.

RecordStore hold times and run ids, and so can be no declared outputs of stages; DVC tracks their
archive as a file of its own. The same records give the same bytes.
"""

import zipfile
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files import EARLIEST, atomic_write
from mdrnets.tracking.record import Record, RecordStore, curves_path


def pack(records: RecordStore, archive: Path) -> int:
    """Write the finished records and their curves; returns how many.

    Raises:
        UserError: there is none.
    """
    finished = [r for r in records.latest() if r.status == "FINISHED"]
    if not finished:
        raise UserError(f"{records.folder}: there is no record of a finished execution; run some")
    with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for record in finished:
            # What an MLflow database knows is of no use beside another one.
            text = record.model_copy(update={"sent": None}).model_dump_json(indent=1) + "\n"
            path = Path(f"{record.name}.json")
            _add(packed, path, text.encode())
            if records.curves(record).exists():
                _add(packed, curves_path(path), records.curves(record).read_bytes())
    return len(finished)


def unpack(archive: Path, records: RecordStore) -> int:
    """Adopt the records of outputs that are here; returns how many.

    Raises:
        UserError: no such archive, or what is in it are no records.
    """
    count = 0
    try:
        with zipfile.ZipFile(archive) as packed:
            members = set(packed.namelist())
            for name in sorted(members):
                if name.endswith(".json"):
                    record = Record.model_validate_json(packed.read(name))
                    if name != f"{Path(record.name).name}.json":
                        raise ValueError(f"{name} holds the record of {record.name!r}")
                    curves = str(curves_path(Path(name)))
                    points = packed.read(curves) if curves in members else None
                    count += records.import_record(record, points)
    except FileNotFoundError:
        raise UserError(
            f"{archive}: there is no such archive, so nobody tells who made the results; their "
            "maker can say `make record` and `dvc push`, then `dvc pull` brings it"
        ) from None
    except (zipfile.BadZipFile, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{archive}: no archive of records ({reason}); `dvc pull --force` brings it again"
        ) from None
    return count


def _add(packed: zipfile.ZipFile, path: Path, content: bytes) -> None:
    entry = zipfile.ZipInfo(path.as_posix(), EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, content)
