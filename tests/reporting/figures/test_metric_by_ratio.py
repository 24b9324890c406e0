from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mdrnets.config.protocol import Bootstrap
from mdrnets.evaluation.scores import Score
from mdrnets.files.tables import write_rows
from mdrnets.reporting.figures import metric_by_ratio
from mdrnets.reporting.figures.metric_by_ratio import Point, compute_step_means, read_scores
from mdrnets.reporting.figures.style import make_line_styles
from tests.helpers.made_up import METHODS, SETS, texts

BOOTSTRAP = Bootstrap(resamples=100, confidence=0.95)


def _means(ratios: list[float], values: list[float]) -> list[Point]:
    return compute_step_means(np.array(ratios), np.array(values), bootstrap=BOOTSTRAP, seed=1)


def _draw(methods: dict[str, str] = METHODS) -> Figure:
    generator = np.random.default_rng(1)
    ratio = np.linspace(1, 60, 60)
    scores = {
        (name, method): {
            "ratio": ratio,
            "l1": 0.1 * ratio + generator.random(60),
            "psnr": 40 - 0.4 * ratio + generator.random(60),
            "ssim": 1 - 0.01 * ratio,
        }
        for name in SETS
        for method in METHODS
    }
    return metric_by_ratio.draw(
        scores,
        sets=SETS,
        methods=methods,
        line_styles=make_line_styles(METHODS),
        bootstrap=BOOTSTRAP,
        seed=1,
        profile="tiny",
    )


def test_a_point_is_the_mean_of_its_step() -> None:
    first, second = _means([1, 10, 11, 15, 19], [1.0, 3.0, 6.0, 6.0, 6.0])
    assert (first.ratio, first.value) == (5.5, 2.0)
    assert first.low <= first.value <= first.high and first.low < first.high
    assert second == Point(15.0, 6.0, 6.0, 6.0)


def test_infinite_scores_and_lonely_images_are_left_out() -> None:
    (point,) = _means([5, 6, 7, 25], [30.0, 32.0, float("inf"), 20.0])
    assert point.value == 31.0


def test_a_hole_a_little_beyond_the_last_step_belongs_to_it() -> None:
    (point,) = _means([59.0, 60.4], [1.0, 2.0])
    assert point.value == 1.5


def test_scores_are_read_in_per_cent(tmp_path: Path) -> None:
    score = Score("00001", "1-20", "00002", 0.125, 1.5, 30.0, 0.9, *[0.0] * 5)
    write_rows(tmp_path / "scores.csv", Score, [score, score])
    result = read_scores(tmp_path / "scores.csv")
    assert result["ratio"].tolist() == [12.5, 12.5]
    assert [result[name][0] for name in ("l1", "psnr", "ssim")] == [1.5, 30.0, 0.9]


def test_each_panel_has_a_line_of_each_method_in_its_colour() -> None:
    figure = _draw()
    assert len(figure.axes) == len(SETS) * 3
    for axes in figure.axes:
        assert [line.get_label() for line in axes.get_lines()] == list(METHODS.values())
        colours = [line.get_color() for line in axes.get_lines()]
        assert colours == [style.colour for style in make_line_styles(METHODS).values()]
        assert all(np.shape(line.get_xydata()) == (6, 2) for line in axes.get_lines())


def test_it_says_what_is_shown() -> None:
    result = texts(_draw())
    for title in SETS.values():
        assert {f"{title}: L1 % ↓", f"{title}: PSNR dB ↑", f"{title}: SSIM ↑"} <= set(result)
    assert set(METHODS.values()) <= set(result)
    assert any("95 % intervals" in text and "profile tiny" in text for text in result)


def test_one_method_alone_keeps_its_colour() -> None:
    (line,) = _draw({"mdrnets": "MDRNets"}).axes[0].get_lines()
    assert line.get_color() == make_line_styles(METHODS)["mdrnets"].colour
