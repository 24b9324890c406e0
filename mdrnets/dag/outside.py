"""The state of files and folders outside of the project, which neither engine tracks.

A job's digest contains it, so that both engines run the job again after a change. It is known
without reading 30,000 images: an archive has at its end a list of its members with their checksums,
and of a folder the names, sizes and times are enough. A copy of an archive has the same state, on
any machine; a copy of a folder if it keeps the times.
"""

import hashlib
import os
from pathlib import Path

from mdrnets.config.load import expand
from mdrnets.data.download.members import list_members
from mdrnets.errors import UserError
from mdrnets.files.text import read_json

MISSING = "missing"
_END_BYTES = 8 * 2**20
"""The list of 70,000 members takes 6 MB."""


def outside_state(path: str, record: Path, key: str) -> str:
    """Return a digest of a file or folder as it is now.

    Results may be there without the data that they were made from, for example after `dvc pull`.
    Then the state is the one that the record of the results' job holds.

    Args:
        path: its location; `$NAME` is replaced from the environment.
        record: the record of the job that reads it, which may be missing.
        key: the state's name in the record's parameters.
    """
    try:
        real = expand(path)
        parts = _list_folder(real) if real.is_dir() else _read_end(real)
    except (OSError, UserError):  # the job says what is wrong, if it has to run
        return _recorded_state(record, key)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]


def _list_folder(path: Path) -> list[bytes]:
    members = sorted(list_members(path, recursive=True), key=lambda member: member.name)
    return [
        b"%s\0%d\0%r\0" % (os.fsencode(member.name), member.bytes, member.modified)
        for member in members
    ]


def _read_end(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        return [b"%d\0" % size, file.read()]


def _recorded_state(record: Path, key: str) -> str:
    try:
        return str(read_json(record, remedy="run its stage")["parameters"][key])
    except (UserError, KeyError, TypeError):
        return MISSING
