"""How each score depends on the hole: means over steps of 10 % of hole ratio, with intervals.

Each bin of Table 1 covers two of these steps. Infinite PSNRs are left out, as in the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdrnets.config.constants import STEPS
from mdrnets.config.load import Config
from mdrnets.config.protocol import Bootstrap
from mdrnets.evaluation.scores import Score
from mdrnets.files.tables import read_rows
from mdrnets.layout import Layout
from mdrnets.metrics.intervals import bootstrap_mean
from mdrnets.reporting.figures.style import (
    COLOURS,
    LineStyle,
    create_panel_figure,
    make_line_styles,
    save_figure,
    with_figure_style,
)
from mdrnets.runtime.seeds import derived_seed

METRICS = {"l1": "L1 % ↓", "psnr": "PSNR dB ↑", "ssim": "SSIM ↑"}
MIN_IMAGES = 2  # in a step, for a mean with an interval
ROW = 1.75  # inches
SPREAD = 0.4  # % of hole ratio between two methods, so that their bars do not overlap


@dataclass(frozen=True)
class Point:
    """The mean of a step.

    Attributes:
        ratio: mean hole ratio in %.
        value: mean score.
        low: lower end of its interval.
        high: upper end of its interval.
    """

    ratio: float
    value: float
    low: float
    high: float


def render(config: Config, layout: Layout, name: str) -> None:
    """Write metric_by_ratio.png and .pdf."""
    protocol, datasets, methods = config.protocol, config.profile.datasets, config.method_titles
    figure = draw(
        {
            (dataset, method): read_scores(layout.scores(dataset, method))
            for dataset, method in product(datasets, methods)
        },
        sets={key: dataset.title for key, dataset in datasets.items()},
        methods=methods,
        line_styles=make_line_styles(protocol.methods),
        bootstrap=protocol.bootstrap,
        seed=protocol.seed,
        profile=config.name,
    )
    save_figure(figure, layout.report(name))


def read_scores(path: Path) -> dict[str, np.ndarray]:
    """Hole ratios in % and the scores of each image.

    Raises:
        UserError: the table is missing or damaged.
    """
    rows = read_rows(path, Score)
    scores = {name: np.array([getattr(row, name) for row in rows]) for name in METRICS}
    return {"ratio": np.array([100 * row.ratio for row in rows])} | scores


def compute_step_means(
    ratios: np.ndarray, values: np.ndarray, *, bootstrap: Bootstrap, seed: int
) -> list[Point]:
    """Means over steps of 10 % of hole ratio. Steps with fewer than two images are left out.

    Args:
        ratios: N hole ratios in %.
        values: N scores; infinite ones are left out.
        bootstrap: of the intervals.
        seed: of the bootstrap.
    """
    points = []
    # Downscaling can move a hole slightly beyond its step.
    steps = np.ceil(ratios / 10).clip(1, STEPS)
    for step in range(1, STEPS + 1):
        inside = (steps == step) & np.isfinite(values)
        if inside.sum() < MIN_IMAGES:
            continue
        low, high = bootstrap_mean(
            values[inside],
            resamples=bootstrap.resamples,
            confidence=bootstrap.confidence,
            seed=derived_seed(seed, "metric_by_ratio", step),
        )
        points.append(Point(float(ratios[inside].mean()), float(values[inside].mean()), low, high))
    return points


@with_figure_style
def draw(
    scores: Mapping[tuple[str, str], Mapping[str, np.ndarray]],
    *,
    sets: Mapping[str, str],
    methods: Mapping[str, str],
    line_styles: Mapping[str, LineStyle],
    bootstrap: Bootstrap,
    seed: int,
    profile: str,
) -> Figure:
    """Draw a row for each data set and a column for each score.

    Args:
        scores: (data set, method) → the result of `read_scores`.
        sets: name → title, in the order of the rows.
        methods: name → title, in the order of the legend.
        line_styles: of the methods.
        bootstrap: of the intervals.
        seed: of the bootstrap.
        profile: name, for the caption.
    """
    interval = f"{100 * bootstrap.confidence:.0f} % intervals over images"
    about = [f"means over 10 % steps of hole ratio, {interval}", f"profile {profile}"]
    figure = create_panel_figure(ROW * len(sets) + 0.75, about)
    grid = figure.subplots(len(sets), len(METRICS), sharex=True, sharey="col", squeeze=False)
    for (dataset, title), row in zip(sets.items(), grid, strict=True):
        for (metric, label), axes in zip(METRICS.items(), row, strict=True):
            axes.set_title(f"{title}: {label}", loc="left", size=6.5)
            for number, name in enumerate(methods):
                points = compute_step_means(
                    scores[dataset, name]["ratio"],
                    scores[dataset, name][metric],
                    bootstrap=bootstrap,
                    seed=seed,
                )
                shift = SPREAD * (number - (len(methods) - 1) / 2)
                _line(axes, points, line_styles[name], methods[name], shift)
            axes.set(xlim=(0, 10 * STEPS), xticks=range(0, 10 * STEPS + 1, 10))
    for axes in grid[-1]:
        axes.set_xlabel("hole ratio, %")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(COLOURS))
    return figure


def _line(axes: Axes, points: Sequence[Point], style: LineStyle, title: str, shift: float) -> None:
    values = np.array([(p.ratio + shift, p.value, p.low, p.high) for p in points]).reshape(-1, 4)
    x, y, low, high = values.T
    axes.plot(x, y, color=style.colour, marker=style.marker, label=title)
    axes.vlines(x, low, high, color=style.colour, linewidth=0.8)
