"""The map of the stages: as Mermaid for README.md, and drawn for the documentation site."""

import io
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from statistics import fmean
from typing import Any

import networkx

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.stage import Stage
from mdrnets.files.markdown import format_table

PROFILE = "paper"
"""It has every kind of stage and every method."""
RENDERED = "render[tables, claims, figures]"


def mermaid_map() -> str:
    """A diagram, in Mermaid's language, of which program passes files to which."""
    edges = _programs().edges
    return "\n".join(["flowchart LR", *sorted(f"    {a} --> {b}" for a, b in edges)])


def draw_map() -> bytes:
    """The same as an SVG drawing, from left to right."""
    from matplotlib.figure import Figure

    graph = _programs()
    places = _places(graph)
    columns, rows = zip(*places.values(), strict=True)
    figure = Figure(figsize=(12, 4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(min(columns) - 0.5, max(columns) + 0.5), ylim=(min(rows) - 0.5, max(rows) + 0.5))
    axes.axis("off")
    box = {"boxstyle": "round", "facecolor": "#f3f6f6", "edgecolor": "#2980b9"}
    texts = {
        name: axes.text(*place, _label(name), ha="center", va="center", bbox=box)
        for name, place in places.items()
    }
    for source, target in graph.edges:
        axes.annotate(
            "",
            places[target],
            places[source],
            arrowprops={
                "arrowstyle": "-|>",
                "color": "#707070",
                "patchA": texts[source].get_bbox_patch(),
                "patchB": texts[target].get_bbox_patch(),
            },
        )
    drawing = io.BytesIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None})
    return drawing.getvalue()


def stages_page(drawing: str) -> str:
    """The map, and what each program does."""
    programs = [name.partition("[")[0] for name in networkx.topological_sort(_programs())]
    rows = [
        [f"`{name}`", (getdoc(import_module(f"stages.{name}")) or "").partition("\n")[0]]
        for name in dict.fromkeys(programs)
        if name != "page"  # which `render` makes
    ]
    return (
        "# Stages\n\nEach stage is a program (`python -m stages.train --help`), which Snakemake "
        f"and DVC run for every data set and method.\n\n![What passes files to what]({drawing})\n\n"
        f"{format_table(['program', 'what it does'], rows)}\n"
    )


def _label(name: str) -> str:
    return name.replace("[", "\n").rstrip("]")


def _places(graph: Any) -> dict[str, tuple[int, float]]:
    """Column and row of each program: as late as possible, and level with what reads it."""
    places: dict[str, tuple[int, float]] = {}
    for column, names in enumerate(networkx.topological_generations(graph.reverse())):
        level = {
            name: fmean([places[reader][1] for reader in graph[name]] or [0]) for name in names
        }
        order = sorted(names, key=lambda n: (level[n], len(networkx.ancestors(graph, n)), n))
        middle = fmean(level.values()) - (len(names) - 1) / 2
        places |= {name: (-column, middle + row) for row, name in enumerate(order)}
    return places


def _programs() -> Any:
    """The graph of the programs, without edges that follow from others."""
    pipeline = Pipeline(load_config(PROFILE))
    makers: dict[Path, str] = {}
    graph = networkx.DiGraph()
    for job in pipeline.jobs():
        name = _program(job.stage)
        makers |= dict.fromkeys(job.outputs, name)
        used = {makers[path] for path in job.inputs if path in makers} - {name}
        graph.add_edges_from((maker, name) for maker in used)
    return networkx.transitive_reduction(graph)


def _program(stage: Stage) -> str:
    if stage.group != "report":
        return stage.program
    return "page" if stage.name == "report" else RENDERED
