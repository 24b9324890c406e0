"""Snakemake's output on the terminal: one line for each job, with the progress of the run.

The log file that Snakemake names at the end keeps every detail: inputs, outputs, reasons, commands.
"""

import logging
from datetime import datetime

from snakemake.logging import DefaultFormatter, format_wildcards, get_event
from snakemake_interface_logger_plugins.common import LogEvent

TERMINAL = "DefaultStreamHandler"
"""The name of Snakemake's own handler. A logger plugin replaces it, and is left as it is."""
HIDDEN = {
    LogEvent.JOB_FINISHED,
    LogEvent.JOB_STARTED,
    LogEvent.SHELLCMD,
    LogEvent.WORKFLOW_STARTED,
}
SELECTION = "Select jobs to execute"


def show_one_line_per_job(logger: logging.Logger) -> None:
    """Change what Snakemake prints on the terminal.

    Args:
        logger: Snakemake's.
    """
    for handler in logger.handlers:
        if handler.name == TERMINAL and isinstance(handler.formatter, DefaultFormatter):
            handler.addFilter(_is_shown)
            handler.setFormatter(_JobLines(handler.formatter))


def _is_shown(record: logging.LogRecord) -> bool:
    return get_event(record) not in HIDDEN and not str(record.msg).startswith(SELECTION)


class _JobLines(logging.Formatter):
    """Formats jobs and progress in one line each, and leaves the rest to Snakemake."""

    def __init__(self, default: DefaultFormatter) -> None:
        super().__init__()
        self.default = default

    def format(self, record: logging.LogRecord) -> str:
        values = record.__dict__
        time = f"{datetime.now():%H:%M:%S}"
        match get_event(record):
            case LogEvent.JOB_INFO:
                wildcards = format_wildcards(values["wildcards"] or {})
                return " ".join(filter(None, (time, values["rule_name"], wildcards)))
            case LogEvent.PROGRESS:
                return f"{time} {values['done']} of {values['total']} jobs done"
        return str(self.default.format(record))
