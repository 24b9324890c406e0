"""Render a table, a figure, the tests of the claims, or the page of the report.

Each is one module below mdrnets/reporting/, which says what it reads and writes.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from mdrnets.config.load import Config
from mdrnets.dag.report import renderer
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.layout import Layout

Render = Callable[[Config, Layout, str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument(
        "name", help="table1, claims, a figure, a table of `ablations` in params.yaml, or report"
    )
    options = parser.parse_args(arguments)
    return execute(options.name, {}, options.profile, _run)


def _run(run: StageRun) -> None:
    render: Render = import_module(renderer(run.config, run.stage)).render
    render(run.config, run.layout, run.stage)


if __name__ == "__main__":
    sys.exit(main())
