"""The project's log on stderr, for stages and commands."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

LOGGERS = ("mdrnets", "stages")


def tolerate_encoding() -> None:
    """Print `?` for characters that the terminal's encoding lacks, such as `²` in ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def log_to_stderr(formatter: logging.Formatter | None = None) -> Iterator[None]:
    """Show what the project logs, from the level INFO on.

    Args:
        formatter: None: the messages alone.
    """
    handler = _Handler()
    handler.setFormatter(formatter)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


class _Handler(logging.StreamHandler[Any]):
    """Writes to the present stderr; a reader that went away (`2>&1 | head`) stops no program."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):
            print(self.format(record), file=sys.stderr, flush=True)
