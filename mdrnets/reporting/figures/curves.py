"""Training curves of all networks: their reconstruction losses.

Losses of different terms and networks have no common unit, so each term is divided by its first
logged value. The history next to the weights has all terms.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from mdrnets.config.load import Config
from mdrnets.dag.report import list_curve_networks
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from mdrnets.reporting.figures.style import (
    COLOURS,
    GREY,
    create_panel_figure,
    save_figure,
    with_figure_style,
)
from mdrnets.reporting.loss_terms import FAMILIES, find_family, is_coarse
from mdrnets.reporting.tables.trends import write_trends
from mdrnets.training.history import HistoryRow, read_history_rows

FAMILY_COLOURS = dict(zip(FAMILIES, (COLOURS[at] for at in (6, 2, 0, 3, 7)), strict=True))
Line = Literal["-", "--", ":"]
LINES: tuple[Line, ...] = ("-", "--", ":")  # of the data sets
THIN = 0.5  # points
COLUMNS = 5
ROW = 1.35  # inches


@dataclass(frozen=True)
class History:
    """A training's curves.

    Attributes:
        phases: name → its last step, counted over all phases, in order.
        curves: term → (steps counted over all phases, values divided by the first one).
    """

    phases: Mapping[str, int]
    curves: Mapping[str, tuple[list[int], list[float]]]


Histories = Mapping[str, Mapping[str, History]]
"""Network → data set → its history."""


def render(config: Config, layout: Layout, name: str) -> None:
    """Write curves.png and .pdf, the points that they show, curves.csv, and trends.csv."""
    rows = {
        network: {
            dataset: read_history_rows(layout.history(dataset, network))
            for dataset in config.training_datasets(network)
        }
        for network in list_curve_networks(config)
    }
    histories = {
        network: {dataset: relative_curves(history) for dataset, history in by_dataset.items()}
        for network, by_dataset in rows.items()
    }
    titles = {network: config.network(network).title for network in rows}
    write_curves(layout.report(f"{name}.csv"), histories)
    write_trends(layout.report("trends.csv"), rows, titles)
    figure = draw(
        histories,
        titles=titles,
        sets={key: dataset.title for key, dataset in config.profile.datasets.items()},
        profile=config.name,
    )
    save_figure(figure, layout.report(name))


def relative_curves(rows: Iterable[HistoryRow]) -> History:
    """The terms of a history that are shown."""
    phases: dict[str, int] = {}
    before = last = 0
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for row in rows:
        if row.phase not in phases:
            before = last
        last = phases[row.phase] = before + row.step
        for term, value in row.values.items():
            if find_family(term):
                steps, values = curves.setdefault(term, ([], []))
                steps.append(last)
                values.append(value)
    relative = {
        term: (steps, [value / values[0] for value in values])
        for term, (steps, values) in curves.items()
        if values[0] > 0
    }
    return History(phases, relative)


def write_curves(path: Path, histories: Histories) -> None:
    """Write the points of all curves, one in each row."""
    rows = [
        [network, dataset, term, step, value]
        for network, by_dataset in histories.items()
        for dataset, history in by_dataset.items()
        for term, (steps, values) in history.curves.items()
        for step, value in zip(steps, values, strict=True)
    ]
    write_table(path, ("network", "dataset", "term", "step", "value"), rows)


@with_figure_style
def draw(
    histories: Histories,
    *,
    titles: Mapping[str, str],
    sets: Mapping[str, str],
    profile: str,
) -> Figure:
    """Draw a panel for each network.

    Args:
        histories: of all networks.
        titles: of the networks, in the order of the panels.
        sets: titles of all data sets. A network may be trained on one of them only.
        profile: name, for the caption.
    """
    columns = min(COLUMNS, len(titles))
    rows = math.ceil(len(titles) / columns)
    about = ["by training step, with lines between phases", f"profile {profile}"]
    figure = create_panel_figure(ROW * rows + 0.95, about)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    lines = dict(zip(sets, cycle(LINES), strict=False))
    for axes in panels.flat[len(titles) :]:
        axes.set_axis_off()
    for axes, (network, title) in zip(panels.flat, titles.items(), strict=False):
        axes.set_title(title, loc="left", size=6.5)
        _panel(axes, histories[network], lines)
    for row in panels:
        row[0].set_ylabel("loss / its first mean")
    shown = {
        find_family(term)
        for by_dataset in histories.values()
        for history in by_dataset.values()
        for term in history.curves
    }
    keys = [
        Line2D([], [], color=colour, label=name)
        for name, colour in FAMILY_COLOURS.items()
        if name in shown
    ]
    if any(is_coarse(t) for sets in histories.values() for h in sets.values() for t in h.curves):
        keys.append(Line2D([], [], color=GREY, linewidth=THIN, label="thin: coarse output"))
    figure.legend(handles=keys, loc="outside upper center", ncols=len(FAMILIES) + 1)
    keys = [
        Line2D([], [], color=GREY, linestyle=line, label=sets[name]) for name, line in lines.items()
    ]
    figure.legend(handles=keys, loc="lower right", ncols=len(keys), fontsize=6)
    return figure


def _panel(
    axes: Axes,
    by_dataset: Mapping[str, History],
    lines: Mapping[str, Line],
) -> None:
    for name, history in by_dataset.items():
        for term, (steps, values) in history.curves.items():
            kind = find_family(term)
            assert kind is not None, "relative_curves keeps no other terms"
            (line,) = axes.plot(
                steps, values, color=FAMILY_COLOURS[kind], linestyle=lines[name], label=term
            )
            if is_coarse(term):
                line.set_linewidth(THIN)
        for end in list(history.phases.values())[:-1]:
            axes.axvline(end, color="0.6", linewidth=0.6)
    if not any(history.curves for history in by_dataset.values()):
        axes.text(
            0.5,
            0.5,
            "none of these terms",
            transform=axes.transAxes,
            ha="center",
            color=GREY,
            size=6,
        )
    axes.set_yscale("log")
    axes.set_xlim(left=0)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
