"""Import what a bundle trained, completed and scored on another machine.

RESULTS is the folder in which the bundle was unpacked and run, or a zip archive of its folder
runs/PROFILE. Each job must have had the code, the parameters and the inputs of this project, and
each file the digest of its record; otherwise nothing is imported. Afterwards the files are up to
date for Snakemake and, after `make record`, for DVC.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("import-results", __doc__)
    parser.add_argument("results", type=Path, metavar="RESULTS", help="a folder or a zip archive")
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline
    from mdrnets.exchange.import_results import (
        find_finished,
        import_jobs,
        mark_current,
        open_results,
    )

    pipeline = Pipeline(load_config(options.profile))
    with open_results(options.results, pipeline) as results:
        finished = find_finished(results, pipeline)
        import_jobs(results, pipeline, finished)
    mark_current(pipeline, finished)
    print(f"{pipeline.layout.run}: the results of {len(finished)} jobs imported")
    return 0
