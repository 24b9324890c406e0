"""Locks between processes. The kernel releases those of a process that ends or is killed."""

import logging
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from mdrnets.errors import UserError

logger = logging.getLogger(__name__)


def exclusive_lock(
    path: Path, *, action: str, refusal: str | None = None
) -> AbstractContextManager[object]:
    """Lock a file for a `with` block.

    Args:
        path: of the file, which is made if it is missing.
        action: what the process that holds the lock does, such as `downloads this file`.
        refusal: what to do if another process holds it; None: wait, with a message.

    Raises:
        UserError: another process holds the lock, and there is a `refusal`.
    """
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        if refusal is not None:
            raise UserError(f"{path}: another process {action}; {refusal}") from None
        logger.info("%s: waiting for another process that %s", path, action)
        return lock.acquire()
