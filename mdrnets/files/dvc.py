"""Recognise files of DVC that a killed `dvc` left half written, with which DVC does not start."""

import time
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files.text import read_json

RWLOCK = Path(".dvc/tmp/rwlock")
"""Which processes of DVC read and write which files."""
LOCK_FILE = Path("dvc.lock")
"""The hashes of all stages that DVC has run."""
WRITING_SECONDS = 1.0
"""A running DVC rewrites its files in place, in less time."""


def check_dvc_files() -> None:
    """Check that DVC can read the files of the project in the current folder.

    Raises:
        UserError: one of them is damaged.
    """
    for check in (_check_rwlock, _check_lock_file):
        try:
            check()
        except UserError:  # perhaps DVC is writing it just now
            time.sleep(WRITING_SECONDS)
            check()


def _check_rwlock() -> None:
    remedy = "run DVC again, if no other `dvc` is running"
    if RWLOCK.exists() and not isinstance(read_json(RWLOCK, remedy=remedy), dict):
        raise UserError(f"{RWLOCK}: expected a JSON object; remove it and {remedy}")


def _check_lock_file() -> None:
    if not LOCK_FILE.exists():
        return
    try:
        from dvc.exceptions import DvcException
        from dvc.schema import COMPILED_LOCKFILE_SCHEMA
        from dvc.utils import strictyaml
    except ImportError:  # without DVC nothing reads the file
        return
    try:
        strictyaml.load(str(LOCK_FILE), COMPILED_LOCKFILE_SCHEMA)
    except DvcException:
        raise UserError(
            f"{LOCK_FILE}: found a damaged file, expected DVC's record of its stages; remove it "
            "and run `dvc repro`, which takes finished stages from DVC's cache"
        ) from None
