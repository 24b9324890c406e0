"""How well the face parser finds each class on held-out images, complete and coarsely completed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.dag.evaluate import inspected_method, labelled_sets
from mdrnets.data.tables import write_table
from mdrnets.evaluation.parsing import COMPLETE, ParsedClass, mean_iou, read_parsing
from mdrnets.layout import Layout
from mdrnets.reporting.figures.style import COLOURS, panel_figure, save_figure, styled
from mdrnets.reporting.tables.cells import bin_title

ROW = 1.9  # inches
ORDER = (7, 4, 0, 1)  # of the colours: from dark to bright, as the holes grow
COLUMNS = ("dataset", "input", "class", "images", "pixels", "iou")
MEAN = "mean"
"""In place of a class, over those that the label maps have."""

Parsing = Mapping[str, Sequence[ParsedClass]]


def render(config: Config, layout: Layout, name: str) -> None:
    """Write parser_quality.png, .pdf and .csv."""
    datasets, method = config.profile.datasets, inspected_method(config)
    assert method is not None, "without one the profile has no such stage"
    parsings = {d: read_parsing(layout.parsing(d, method)) for d in labelled_sets(config)}
    write_quality(layout.report(f"{name}.csv"), parsings)
    by_title = {datasets[dataset].title: parsing for dataset, parsing in parsings.items()}
    save_figure(draw(by_title, profile=config.name), layout.report(name))


def write_quality(path: Path, parsings: Mapping[str, Parsing]) -> None:
    """Write data set → what was given → classes as a table, with a row for the mean of each."""
    rows: list[tuple[object, ...]] = []
    for dataset, parsing in parsings.items():
        for given, classes in parsing.items():
            for c in classes:
                iou = f"{c.iou:.6f}" if c.pixels else ""
                rows.append((dataset, given, c.name, c.images, c.pixels, iou))
            pixels = sum(c.pixels for c in classes)
            rows.append((dataset, given, MEAN, "", pixels, f"{mean_iou(classes):.6f}"))
    write_table(path, COLUMNS, rows)


@styled
def draw(parsings: Mapping[str, Parsing], *, profile: str) -> Figure:
    """Draw a row of bars for each data set.

    Args:
        parsings: title of the data set → what was given → classes.
        profile: name, for the caption.
    """
    figure = panel_figure(
        ROW * len(parsings) + 0.3,
        [
            "held-out images and their coarse completions; under a class: how many images have it",
            f"profile {profile}",
        ],
    )
    panels = figure.subplots(len(parsings), 1, squeeze=False)[:, 0]
    for axes, (title, parsing) in zip(panels, parsings.items(), strict=True):
        classes = next(iter(parsing.values()))
        places = np.arange(len(classes))
        width = 0.8 / len(parsing)
        for number, (given, found) in enumerate(parsing.items()):
            label = "no hole" if given == COMPLETE else f"holes of {bin_title(given)}"
            axes.bar(
                places + (number - (len(parsing) - 1) / 2) * width,
                [100 * c.iou if c.pixels else np.nan for c in found],
                width,
                color=COLOURS[ORDER[number % len(ORDER)]],
                label=f"{label}: mean {100 * mean_iou(found):.1f} %",
            )
        axes.set_title(f"{title}: intersection over union, %", loc="left", size=6.5, pad=16)
        axes.set_xticks(places, [f"{c.name}\n{c.images}" for c in classes])
        axes.set(ylim=(0, 100), xlim=(-0.6, len(classes) - 0.4))
        axes.grid(visible=False, axis="x")
        axes.set_axisbelow(True)
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 0.98),
            ncols=len(parsing),
            fontsize=6,
            handlelength=1.2,
            columnspacing=1.2,
            borderaxespad=0.2,
        )
    return figure
