import csv
from pathlib import Path

import numpy as np
import pytest

from mdrnets.evaluation.parsing import COMPLETE, ParsedClass
from mdrnets.reporting.figures import parser_quality
from tests.helpers.made_up import texts

PARSING = {
    COMPLETE: [
        ParsedClass(COMPLETE, "skin", 4, 80, 80, 60),
        ParsedClass(COMPLETE, "hat", 1, 10, 5, 5),
        ParsedClass(COMPLETE, "ear", 0, 0, 7, 0),
    ],
    "40-60": [
        ParsedClass("40-60", "skin", 4, 80, 40, 20),
        ParsedClass("40-60", "hat", 1, 10, 0, 0),
        ParsedClass("40-60", "ear", 0, 0, 0, 0),
    ],
}


def test_bars_are_the_ious_of_classes_that_the_label_maps_have() -> None:
    figure = parser_quality.draw({"Rendered faces A": PARSING}, profile="tiny")
    (axes,) = figure.axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([60, 50, np.nan, 20, 0, np.nan], nan_ok=True)
    first, second = axes.patches[0], axes.patches[3]
    assert first.get_x() < second.get_x() < axes.patches[1].get_x()
    assert first.get_facecolor() != second.get_facecolor()


def test_it_names_classes_inputs_means_and_data_sets() -> None:
    figure = parser_quality.draw({"Set A": PARSING, "Set B": PARSING}, profile="tiny")
    result = texts(figure)
    assert result.count("skin\n4") == result.count("hat\n1") == result.count("ear\n0") == 2
    assert result.count("no hole: mean 55.0 %") == 2
    assert result.count("holes of 40–60 %: mean 10.0 %") == 2
    assert "Set B: intersection over union, %" in result
    assert any("profile tiny" in text for text in result)


def test_the_table_has_every_class_and_the_mean(tmp_path: Path) -> None:
    path = tmp_path / "parser_quality.csv"
    parser_quality.write_quality(path, {"set_a": PARSING})
    with path.open(encoding="utf-8", newline="") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ["set_a", "complete", "skin", "4", "80", "0.600000"],
        ["set_a", "complete", "hat", "1", "10", "0.500000"],
        ["set_a", "complete", "ear", "0", "0", ""],
        ["set_a", "complete", "mean", "", "90", "0.550000"],
        ["set_a", "40-60", "skin", "4", "80", "0.200000"],
        ["set_a", "40-60", "hat", "1", "10", "0.000000"],
        ["set_a", "40-60", "ear", "0", "0", ""],
        ["set_a", "40-60", "mean", "", "90", "0.100000"],
    ]
