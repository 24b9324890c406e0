"""Render a table, a figure, the tests of the claims, or the page of the report.

Each is one module below mdrnets/reporting/, which says what it reads and writes.
"""

import sys
from collections.abc import Callable
from importlib import import_module

from mdrnets.config.load import Config
from mdrnets.dag.report import renderer
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun
from mdrnets.layout import Layout

Render = Callable[[Config, Layout, str], None]


@stage_command("name")
def main(run: StageRun) -> None:
    render: Render = import_module(renderer(run.config, run.stage)).render
    render(run.config, run.layout, run.stage)


if __name__ == "__main__":
    sys.exit(main())
