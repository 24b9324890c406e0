"""Quality of the face parser by class, on held-out images and on their coarse completions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.dag.evaluate import inspected_method, labelled_sets
from mdrnets.evaluation.parsing import COMPLETE, ParsedClass, mean_iou, read_parsing
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from mdrnets.reporting.figures.style import (
    COLOURS,
    create_panel_figure,
    save_figure,
    with_figure_style,
)
from mdrnets.reporting.tables.cells import format_bin

ROW = 1.9  # inches
ORDER = (7, 4, 0, 1)  # of the colours: the larger the holes, the brighter
COLUMNS = ("dataset", "input", "class", "images", "pixels", "iou")
MEAN = "mean"
"""Name of the mean over the classes that occur in the label maps."""

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
    """Write the table data set → input → classes, with a row for the mean of each input."""
    rows: list[tuple[object, ...]] = []
    for dataset, parsing in parsings.items():
        for input_name, classes in parsing.items():
            for c in classes:
                iou = f"{c.iou:.6f}" if c.pixels else ""
                rows.append((dataset, input_name, c.name, c.images, c.pixels, iou))
            pixels = sum(c.pixels for c in classes)
            rows.append((dataset, input_name, MEAN, "", pixels, f"{mean_iou(classes):.6f}"))
    write_table(path, COLUMNS, rows)


@with_figure_style
def draw(parsings: Mapping[str, Parsing], *, profile: str) -> Figure:
    """Draw a row of bars for each data set.

    Args:
        parsings: title of the data set → input → classes.
        profile: name, for the caption.
    """
    figure = create_panel_figure(
        ROW * len(parsings) + 0.3,
        [
            "held-out images and their coarse completions; below a class: number of images with it",
            f"profile {profile}",
        ],
    )
    panels = figure.subplots(len(parsings), 1, squeeze=False)[:, 0]
    for axes, (title, parsing) in zip(panels, parsings.items(), strict=True):
        classes = next(iter(parsing.values()))
        places = np.arange(len(classes))
        width = 0.8 / len(parsing)
        for number, (input_name, scores) in enumerate(parsing.items()):
            label = "no hole" if input_name == COMPLETE else f"holes of {format_bin(input_name)}"
            axes.bar(
                places + (number - (len(parsing) - 1) / 2) * width,
                [100 * c.iou if c.pixels else np.nan for c in scores],
                width,
                color=COLOURS[ORDER[number % len(ORDER)]],
                label=f"{label}: mean {100 * mean_iou(scores):.1f} %",
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
