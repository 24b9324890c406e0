"""Print Table 1 at the largest holes, what the run can decide, and where all files are.

Names the parts of the report that were not made, with the command that makes them.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mdrnets.commands.command_line import command_parser

if TYPE_CHECKING:
    from mdrnets.dag.pipeline import Pipeline

TABLE = "table1"
PAGE = "report"


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("results", __doc__)
    parser.add_argument(
        "--files", action="store_true", help="name the files only, without the table"
    )
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline

    pipeline = Pipeline(load_config(options.profile))
    if not options.files:
        for line in _table(pipeline):
            print(f"{line}\n")
    for line in _files(pipeline):
        print(line)
    return 0


def _table(pipeline: "Pipeline") -> Iterator[str]:
    from mdrnets.dag.pipeline import snakemake_command
    from mdrnets.reporting.scale import headline
    from mdrnets.reporting.tables.short import format_short_table1

    config, path = pipeline.config, pipeline.layout.report(f"{TABLE}.csv")
    if not path.exists():
        return
    remedy = f"make it again with `{snakemake_command(config.name, path)}`"
    for dataset in config.profile.datasets:
        title, table = format_short_table1(path, config, dataset, remedy=remedy, narrow=True)
        yield f"{title}\n\n{table}"
    yield headline(config)


def _files(pipeline: "Pipeline") -> Iterator[str]:
    """Name the files of the report, and the parts that were not made."""
    from mdrnets.dag.pipeline import snakemake_command

    stages = [stage for stage in pipeline.stages.values() if stage.group == "report"]
    complete = {stage.name: all(path.exists() for path in stage.outputs) for stage in stages}
    if complete[PAGE]:
        yield f"The whole report in one page: {pipeline.stages[PAGE].outputs[0]}"
    for stage in stages:
        if complete[stage.name] and stage.name != PAGE:
            yield f"{stage.name}: {', '.join(map(str, stage.outputs))}"
    if missing := [name for name, is_complete in complete.items() if not is_complete]:
        command = snakemake_command(pipeline.config.name, "reproduce_all")
        yield f"Not made: {', '.join(missing)}. All of them: {command}"
