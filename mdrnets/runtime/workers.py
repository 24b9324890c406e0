"""Worker ranks: the further processes of a training on several devices.

Import-light: a command reads its rank before it imports torch.
"""

import os
import threading
import time

PARENT_PID = "MDRNETS_RANK0_PID"
"""Environment variable of the worker ranks: the process id of rank 0."""
POLL_SECONDS = 1.0


def local_rank() -> int:
    """The rank that this process was started as; 0 for a process that the user started."""
    return int(os.environ.get("LOCAL_RANK", 0))


def announce_parent() -> None:
    """Tell the worker ranks, which inherit the environment, the process id of rank 0."""
    os.environ[PARENT_PID] = str(os.getpid())


def exit_when_parent_dies() -> None:
    """Exit as soon as rank 0 has exited, even while waiting in a collective operation."""
    parent = os.environ[PARENT_PID]

    def watch() -> None:
        while str(os.getppid()) == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
