from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mdrnets.reporting.figures import curves
from mdrnets.reporting.figures.curves import FAMILY_COLOURS, History, relative_curves
from mdrnets.reporting.loss_terms import find_family
from mdrnets.training.history import read_history_rows
from tests.helpers.made_up import SETS, texts

CSV = """phase,step,hole,adversarial,memory/moved,style
first,10,4.0,0.7,1.0,
first,20,2.0,0.8,1.0,0.0
second,10,1.0,0.9,1.0,3.0
"""


@pytest.fixture
def history(tmp_path: Path) -> History:
    path = tmp_path / "network.csv"
    path.write_text(CSV, encoding="utf-8")
    return relative_curves(read_history_rows(path))


def _draw(histories: dict[str, dict[str, History]]) -> Figure:
    titles = {name: name.title() for name in histories}
    return curves.draw(histories, titles=titles, sets=SETS, profile="tiny")


def test_terms_are_relative_to_their_first_value_over_all_phases(history: History) -> None:
    assert history.phases == {"first": 20, "second": 30}
    assert history.curves == {"hole": ([10, 20, 30], [1.0, 0.5, 0.25])}  # style began at 0


def test_what_is_drawn_is_written_point_by_point(tmp_path: Path, history: History) -> None:
    path = tmp_path / "curves.csv"
    curves.write_curves(path, {"pconv": {"set_a": history, "set_b": history}})
    header, *points = path.read_text(encoding="utf-8").splitlines()
    assert header == "network,dataset,term,step,value"
    assert points[1] == "pconv,set_a,hole,20,0.5"
    assert len(points) == 6


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("l1_coarse", "hole or whole image"),
        ("reconstruction_g", "hole or whole image"),
        ("valid", "valid pixels"),
        ("content", "perceptual"),
        ("nll", "cross-entropy"),
        ("adversarial_g", None),
        ("discriminator", None),
        ("memory/slots_used/hair", None),
        ("mean_iou", None),
    ],
)
def test_reconstruction_terms_are_shown_and_others_are_not(term: str, expected: str | None) -> None:
    assert find_family(term) == expected


def test_a_panel_has_a_line_for_each_term_and_data_set(history: History) -> None:
    figure = _draw({"pconv": dict.fromkeys(SETS, history), "parser": {"set_a": history}})
    pconv, parser = figure.axes
    curve, other = [line for line in pconv.get_lines() if line.get_label() == "hole"]
    assert curve.get_color() == other.get_color() == FAMILY_COLOURS["hole or whole image"]
    assert curve.get_linestyle() != other.get_linestyle()
    assert len([line for line in parser.get_lines() if line.get_label() == "hole"]) == 1
    (between,) = [line for line in parser.get_lines() if line.get_label() != "hole"]
    assert np.array_equal(between.get_xdata(), [20, 20])  # the end of the first phase


def test_coarse_and_refined_losses_differ() -> None:
    points = ([10, 20], [1.0, 0.5])
    both = History({"only": 20}, {"l1_coarse": points, "l1_refined": points})
    figure = _draw({"deepfillv2": {"set_a": both}})
    coarse, refined = figure.axes[0].get_lines()
    assert coarse.get_linewidth() < refined.get_linewidth()
    assert coarse.get_color() == refined.get_color()
    assert any("coarse" in text for text in texts(figure))


def test_it_says_what_is_shown(history: History) -> None:
    result = texts(_draw({"pconv": {"set_a": history}}))
    assert {"Pconv", *SETS.values(), "hole or whole image"} <= set(result)
    assert "perceptual" not in result  # nothing of it is shown
    assert not any("coarse" in text for text in result)
    assert any("profile tiny" in text for text in result)


def test_a_network_without_such_terms_has_an_empty_panel(history: History) -> None:
    figure = _draw({"pconv": {"set_a": history}, "other": {"set_a": History({"only": 5}, {})}})
    figure.canvas.draw()
    assert not figure.axes[1].get_lines()
    assert "none of these terms" in texts(figure)
