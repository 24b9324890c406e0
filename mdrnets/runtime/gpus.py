"""Every job on a machine gets GPUs of its own: claims by locks on files, one for each GPU.

Without them, jobs that run side by side (`snakemake --resources gpu=N`) would all take the first.
The kernel takes a lock back when its process ends, however that happens.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mdrnets.errors import UserError

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOOK_EVERY = 1.0
"""Seconds between two looks for free GPUs."""


@contextmanager
def locked_gpus(count: int, *, say: Callable[[str], None]) -> Iterator[None]:
    """Let CUDA see `count` GPUs that no other job of this user has claimed; wait for them.

    To be entered before CUDA is used, which then keeps to them until the process ends. Where
    `CUDA_VISIBLE_DEVICES` is set (by the user, by Slurm), they are some of those.

    Args:
        count: 0: nothing is done.
        say: told, in a sentence, that it has to wait.

    Raises:
        UserError: there are fewer.
    """
    if count == 0:
        yield
        return
    visible = _visible_gpus()
    if count > len(visible):
        raise UserError(
            f"device: the profile asks for {count} GPU(s) a job, but there are {len(visible)} "
            "(nvidia-smi, CUDA_VISIBLE_DEVICES); lower `devices`, or choose `device: cpu`"
        )
    folder = Path(tempfile.gettempdir(), f"mdrnets-gpus-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    with ExitStack() as claims:
        waits = False
        while not (claimed := _claim(visible, count, folder, claims)):
            if not waits:
                say(f"waiting for {count} GPU(s): other jobs have claimed those of this machine")
            waits = True
            time.sleep(LOOK_EVERY)
        os.environ[VISIBLE] = ",".join(claimed)
        yield


def _claim(gpus: Sequence[str], count: int, folder: Path, claims: ExitStack) -> list[str]:
    """Lock as many GPUs as wanted, or none: two jobs that hold halves would wait for ever."""
    from filelock import FileLock, Timeout

    claimed = []
    with ExitStack() as attempt:
        for gpu in gpus:
            try:
                attempt.enter_context(FileLock(folder / f"{gpu}.lock", timeout=0))
            except Timeout:
                continue
            claimed.append(gpu)
            if len(claimed) == count:
                claims.enter_context(attempt.pop_all())
                return claimed
    return []


def _visible_gpus() -> list[str]:
    """Names that no other GPU has: UUIDs, since numbers begin anew in each container."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
    except (FileNotFoundError, subprocess.CalledProcessError):
        listed = []
    names = listed
    if VISIBLE in os.environ:  # by number, or by name, also of a part of a GPU
        numbered = {str(number): name for number, name in enumerate(listed)}
        chosen = (name.strip() for name in os.environ[VISIBLE].split(","))
        names = [numbered.get(name, name) for name in chosen]
    return [name for name in names if name.startswith(("GPU-", "MIG-"))]
