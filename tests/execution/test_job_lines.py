import io
import logging

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from mdrnets.execution.job_lines import TERMINAL, show_one_line_per_job


@pytest.fixture
def terminal() -> tuple[logging.Logger, io.StringIO, io.StringIO]:
    """Snakemake's logger with its terminal and its log file."""
    logger = logging.Logger("snakemake", level=logging.INFO)
    screen, log = io.StringIO(), io.StringIO()
    for stream, name in ((screen, TERMINAL), (log, "DefaultLogFileHandler")):
        handler = logging.StreamHandler(stream)
        handler.name = name
        handler.setFormatter(DefaultFormatter())
        logger.addHandler(handler)
    show_one_line_per_job(logger)
    return logger, screen, log


def test_a_job_is_one_line_and_the_log_file_keeps_its_command(
    terminal: tuple[logging.Logger, io.StringIO, io.StringIO],
) -> None:
    logger, screen, log = terminal
    info = {"event": LogEvent.JOB_INFO, "rule_name": "train", "wildcards": {"dataset": "one"}}
    logger.handlers[0].handle(logging.makeLogRecord({"msg": None, **info}))
    logger.info("Execute 1 jobs...", extra={"event": LogEvent.JOB_STARTED})
    logger.info("Select jobs to execute...")
    shell = {"event": LogEvent.SHELLCMD, "cmd": "python -m stages.train", "shellcmd": "python"}
    logger.info("Shell command: python -m stages.train", extra=shell)
    logger.info("", extra={"event": LogEvent.PROGRESS, "done": 3, "total": 7})
    first, second = screen.getvalue().splitlines()
    assert first.endswith(" train dataset=one")
    assert second.endswith(" 3 of 7 jobs done")
    assert "stages.train" in log.getvalue() and "Execute 1 jobs" in log.getvalue()


def test_errors_and_other_messages_are_snakemakes_own(
    terminal: tuple[logging.Logger, io.StringIO, io.StringIO],
) -> None:
    logger, screen, _ = terminal
    logger.error("a rule failed")
    assert screen.getvalue() == "a rule failed\n"
