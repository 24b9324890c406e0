"""GPU locks: each job on a machine locks its GPUs, with one file for each GPU.

Without locks, jobs that run in parallel (`snakemake --resources gpu=N`) would all use the first
GPU. The kernel releases a lock when its process ends, even if it is killed.
"""

import logging
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from pathlib import Path

from mdrnets.errors import UserError

VISIBLE = "CUDA_VISIBLE_DEVICES"
POLL_SECONDS = 1.0
"""Seconds between two attempts to lock GPUs."""

logger = logging.getLogger(__name__)


@contextmanager
def lock_gpus(count: int, *, share: int = 1) -> Iterator[None]:
    """Lock `count` GPUs and make only these visible to CUDA; wait until they are free.

    Enter the context before CUDA is initialised. If `CUDA_VISIBLE_DEVICES` is set (by the user or
    by Slurm), the GPUs are chosen from those.

    Args:
        count: number of GPUs; with 0 nothing is done.
        share: number of jobs that may lock the same GPU at once.

    Raises:
        UserError: fewer GPUs are visible, or the folder of the locks is not the user's own.
    """
    if count == 0:
        yield
        return
    visible = _visible_gpus()
    if count > len(visible):
        raise UserError(
            f"device: the profile asks for {count} GPUs for each job, but found {len(visible)} "
            "(nvidia-smi, CUDA_VISIBLE_DEVICES); lower `devices`, or set `device: cpu`"
        )
    folder = _lock_folder()
    with ExitStack() as locks:
        waiting = False
        while not (gpus := _lock(visible, count, folder, locks, share)):
            if not waiting:
                logger.info("waiting for %d GPUs that other jobs have locked", count)
            waiting = True
            time.sleep(POLL_SECONDS)
        os.environ[VISIBLE] = ",".join(gpus)
        yield


def _lock_folder() -> Path:
    """The folder of this user's locks, in a folder where every user can create files.

    Raises:
        UserError: it is a link, or others can write to it: they could have our files truncated.
    """
    folder = Path(tempfile.gettempdir(), f"mdrnets-gpus-{os.getuid()}")
    with suppress(FileExistsError):  # checked below
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise UserError(
            f"{folder}: found a link, a file or another user's folder, expected a folder of yours; "
            "remove it, or set TMPDIR to a folder of your own on all jobs of this machine"
        )
    folder.chmod(0o700)  # earlier versions created it with the permissions of the umask
    return folder


def _lock(
    candidates: Sequence[str], count: int, folder: Path, locks: ExitStack, share: int
) -> list[str]:
    """Lock `count` GPUs or none: two jobs with half of theirs each would wait forever.

    A GPU has `share` locks. The first locks of all GPUs are tried before the second ones, so that
    jobs that start together are spread evenly.
    """
    from filelock import FileLock, Timeout

    gpus = []
    with ExitStack() as attempt:
        for slot, gpu in product(range(share), candidates):
            if gpu in gpus:
                continue
            name = f"{gpu}-{slot}.lock" if slot else f"{gpu}.lock"
            try:
                attempt.enter_context(FileLock(folder / name, timeout=0))
            except Timeout:
                continue
            gpus.append(gpu)
            if len(gpus) == count:
                locks.enter_context(attempt.pop_all())
                return gpus
    return []


def _visible_gpus() -> list[str]:
    """UUIDs of the visible GPUs. Indices are not unique: they start at 0 in each container."""
    try:
        uuids = subprocess.run(
            ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
    except (FileNotFoundError, subprocess.CalledProcessError):
        uuids = []
    names = uuids
    if VISIBLE in os.environ:  # indices, UUIDs of GPUs, or UUIDs of MIG instances
        by_index = {str(index): uuid for index, uuid in enumerate(uuids)}
        chosen = (name.strip() for name in os.environ[VISIBLE].split(","))
        names = [by_index.get(name, name) for name in chosen]
    return [name for name in names if name.startswith(("GPU-", "MIG-"))]
