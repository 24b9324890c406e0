"""The page of a profile: all results of the report in one file that loads nothing.

The table of stages and the files decide what is shown: a PNG is a figure; a CSV with the columns of
`Cell` or `Finding` is a table of scores or of claims; any other CSV is a plain table.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from mdrnets.config.load import Config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.report import choose_figure1_method
from mdrnets.dag.stage import Stage
from mdrnets.data.png import to_data_uri
from mdrnets.files import write_text
from mdrnets.files.tables import field_names, read_header, read_table
from mdrnets.layout import Layout
from mdrnets.reporting.captions import Caption, caption
from mdrnets.reporting.claims.finding import Finding
from mdrnets.reporting.context import (
    UNPUBLISHED,
    collect_extended_notes,
    collect_notes,
    describe_run,
    describe_values,
)
from mdrnets.reporting.page.comparisons import ComparedFace, read_comparisons
from mdrnets.reporting.page.ledger import build_ledgers
from mdrnets.reporting.page.reference import read_reference
from mdrnets.reporting.page.runs import Run, anchor, read_runs, upstream_runs
from mdrnets.reporting.page.scores import read_scores
from mdrnets.reporting.page.verdict import read_claims, summarise_verdict
from mdrnets.reporting.tables.cells import Cell
from mdrnets.reporting.tables.costs import COLUMNS, read_costs, write_costs
from mdrnets.reporting.tables.summaries import Summaries, read_summaries
from mdrnets.tracking.provenance import GitState, git_state

NAME = "report"
SCORES, CLAIMS, PLAIN = "scores", "claims", "plain"
MAX_ROWS = 200  # of a plain table


@dataclass(frozen=True)
class Section:
    """The files of one name that a stage of the report makes.

    Attributes:
        name: of the files, without suffix; the section's anchor.
        stage: that makes them.
        caption: title and text.
        figure: as a data URI; None for a table.
        kind: of `table`; None: no table is shown.
        table: tables of scores, claims, or header and rows.
        files: all of them.
    """

    name: str
    stage: str
    caption: Caption
    figure: str | None
    kind: str | None
    table: Any
    files: Sequence[Path]


def render(config: Config, layout: Layout, name: str) -> None:
    """Write index.html, and the costs again: Table 1 may come before the variants' trainings.

    The page also shows this machine's run records and the reference run, which are not declared
    inputs: results that were restored have no records, and a profile may have no reference run.
    """
    methods = config.method_titles
    text = page(
        Pipeline(config),
        summaries=read_summaries(config, layout, datasets=config.profile.datasets, methods=methods),
        git=git_state(config.name),
        comparisons=read_comparisons(layout.report("comparisons.json")),
    )
    write_text(layout.report("index.html"), text)
    write_costs(config, layout)


def page(
    pipeline: Pipeline, *, summaries: Summaries, git: GitState, comparisons: Sequence[ComparedFace]
) -> str:
    """The page in HTML.

    Args:
        pipeline: of the profile.
        summaries: the scores of Table 1.
        git: state of the code.
        comparisons: the faces that a reader can compare.
    """
    config, layout = pipeline.config, pipeline.layout
    sections = list(build_sections(pipeline))
    runs = [run for run in read_runs(pipeline) if run.name != NAME]
    images = {dataset: summary.images for (dataset, _), summary in summaries.items()}
    return _template().render(
        name=config.name,
        verdict=summarise_verdict(layout.report("claims.csv").parent, config, images),
        facts=describe_run(config, summaries, git),
        legend=partial(describe_values, config),
        notes=[*collect_notes(config, summaries), *collect_extended_notes(config)],
        unpublished=UNPUBLISHED,
        ablations=config.ablations,
        tables=[section for section in sections if section.kind and not section.figure],
        figures=[section for section in sections if section.figure],
        comparisons=comparisons,
        reference=read_reference(pipeline),
        shown=config.protocol.methods[choose_figure1_method(config)].title,
        cost_columns=list(COLUMNS.values()),
        costs=read_costs(config, layout),
        ledgers=build_ledgers(config),
        chains=_chains(pipeline, sections, runs),
        runs={run.name: run for run in runs},
    )


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["anchor"] = anchor
    environment.filters["json"] = partial(json.dumps, ensure_ascii=False)
    return environment.get_template("page.html")


def build_sections(pipeline: Pipeline) -> Iterator[Section]:
    """The sections of the page. Outputs that are neither a figure nor a table are left out."""
    for stage in pipeline.stages.values():
        if stage.group == "report" and stage.name != NAME:
            for name, paths in groupby(stage.outputs, key=lambda path: path.stem):
                files = {path.suffix: path for path in paths}
                if {".png", ".csv"} & files.keys():
                    yield _section(pipeline.config, stage, name, files)


def _section(config: Config, stage: Stage, name: str, files: Mapping[str, Path]) -> Section:
    kind, table = _table(files[".csv"], config) if ".csv" in files else (None, None)
    return Section(
        name=name,
        stage=stage.name,
        caption=caption(name, config),
        figure=to_data_uri(files[".png"].read_bytes()) if ".png" in files else None,
        kind=kind,
        table=table,
        files=list(files.values()),
    )


def _table(path: Path, config: Config) -> tuple[str | None, Any]:
    """The kind of a table and its content. Very long tables are not shown."""
    columns = read_header(path)
    if columns == field_names(Cell):
        return SCORES, read_scores(path, config)
    if columns == field_names(Finding):
        return CLAIMS, read_claims(path, config)
    rows = [list(row.values()) for row in read_table(path, columns)]
    return (PLAIN, (columns, rows)) if len(rows) <= MAX_ROWS else (None, None)


def _chains(
    pipeline: Pipeline, sections: Sequence[Section], runs: Sequence[Run]
) -> dict[str, tuple[str, list[Run]]]:
    """Anchor → (title, runs): the runs behind each row of the tables."""
    by_name = {run.name: run for run in runs}
    chains = {}
    for section in sections:
        for table in section.table if section.kind == SCORES else ():
            for row in table.rows:
                if not row.missing:
                    trainings = pipeline.config.trainings(row.method)
                    scored = [pipeline.layout.summary(table.dataset, name) for name in trainings]
                    made = upstream_runs(runs, *scored)
                    chains[anchor("upstream", section.stage, table.dataset, row.method)] = (
                        f"{row.title} on {table.title}, in {section.stage}",
                        [by_name[section.stage], *made],
                    )
    return chains
