"""Render a table, a figure or a page: `stages/renderers/NAME.py` says what it reads and writes.

A table of `ablations` in params.yaml is rendered by `stages/renderers/ablation.py`.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from mdrnets.dag.report import renderer
from mdrnets.execution.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument(
        "name", help="table1, claims, a figure, a table of `ablations` in params.yaml, or report"
    )
    options = parser.parse_args(arguments)
    return execute(options.name, {}, options.profile, _run)


def _run(run: StageRun) -> None:
    render: Callable[[StageRun], None] = import_module(renderer(run.config, run.stage)).render
    render(run)


if __name__ == "__main__":
    sys.exit(main())
