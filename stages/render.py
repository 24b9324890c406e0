"""Render a table, a figure, the tests of the claims, or the page of the report.

Each is one module below mdrnets/reporting/, which says what it reads and writes.
"""

import os
import sys
from importlib import import_module

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("name")
def main(run: StageRun) -> None:
    from mdrnets.dag.report import renderer

    # A notebook that started this may have set a backend that is not installed here.
    os.environ["MPLBACKEND"] = "Agg"
    module = import_module(renderer(run.config, run.stage))
    module.render(run.config, run.layout, run.stage)


if __name__ == "__main__":
    sys.exit(main())
