import math
from pathlib import Path

import numpy as np
import pytest

from mdrnets.evaluation.memory_use import MemoryUse
from mdrnets.reporting.figures import memory_use
from mdrnets.reporting.figures.memory_use import (
    SlotsUsed,
    UsedMemory,
    compute_shares,
    read_slots_used,
    relative_entropy,
)
from tests.helpers.made_up import texts

CLASSES = ("skin", "eye", "hat")
CHOSEN = np.array([[1, 0, 3, 0], [2, 2, 2, 2], [0, 0, 0, 0]])
ENTROPY = np.array([math.log(4), 0.5 * math.log(4), np.nan])
LENGTH = np.array([0.5, 1.5, np.nan])
HISTORY = """phase,step,hole,memory/use_entropy,memory/slots_used/skin,memory/slots_used/eye
train,10,0.5,1.0,1.0,2.0
train,20,0.4,1.1,3.0,2.0
"""


def _memory(training: SlotsUsed, title: str = "Rendered faces A") -> UsedMemory:
    shown_elsewhere = np.empty(0)
    use = MemoryUse(CHOSEN, ENTROPY, LENGTH, *[shown_elsewhere] * 4)
    return UsedMemory(title, use, training)


@pytest.fixture
def training(tmp_path: Path) -> SlotsUsed:
    path = tmp_path / "mdrnets.csv"
    path.write_text(HISTORY)
    return read_slots_used(path)


def test_the_history_tells_the_slots_written_by_block(training: SlotsUsed) -> None:
    assert list(training.blocks) == ["skin", "eye"]
    np.testing.assert_array_equal(training.steps, [10, 20])
    np.testing.assert_array_equal(training.counts, [[1, 3], [2, 2]])


def test_the_steps_of_phases_are_counted_on(tmp_path: Path) -> None:
    path = tmp_path / "mdrnets.csv"
    header, *rows = HISTORY.splitlines()
    path.write_text("\n".join([header, "warm-up,4,0.6,1.0,1.0,1.0", *rows]) + "\n")
    np.testing.assert_array_equal(read_slots_used(path).steps, [4, 14, 24])


def test_shares_go_from_the_most_read_slot_to_the_least() -> None:
    expected = [[0.75, 0.25, 0, 0], [0.25] * 4, [np.nan] * 4]
    np.testing.assert_array_equal(compute_shares(CHOSEN), expected)


def test_relative_entropy_is_0_for_one_slot_and_1_for_equal_shares() -> None:
    result = relative_entropy(np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]]))
    np.testing.assert_allclose(result, [0, 1, 0.5])
    assert np.isnan(relative_entropy(compute_shares(CHOSEN))[2])
    assert np.isnan(relative_entropy(np.ones((1, 1)))).all()  # one slot: nothing to choose


def test_what_is_drawn_is_what_was_counted(training: SlotsUsed) -> None:
    figure = memory_use.draw([_memory(training)], classes=CLASSES, method="MDRNets", profile="tiny")
    reads, selection, written = figure.axes[:3]
    (picture,) = reads.get_images()
    values = np.ma.filled(picture.get_array(), np.nan)
    np.testing.assert_array_equal(values[:2], [[75, 25, np.nan, np.nan], [25] * 4])
    assert np.isnan(values[2]).all()
    best, attention, length = (line.get_xdata() for line in selection.get_lines())
    np.testing.assert_allclose(best, [0.4056, 1, np.nan], atol=1e-4)
    np.testing.assert_allclose(attention, [1, 0.5, np.nan])
    np.testing.assert_array_equal(length, LENGTH)
    assert selection.get_xlim()[1] > 1.5
    (picture,) = written.get_images()
    np.testing.assert_array_equal(picture.get_array(), training.counts)
    assert picture.get_extent()[:2] == [0, 20]


def test_every_class_has_its_name_and_its_number_of_reads(training: SlotsUsed) -> None:
    sets = [_memory(training), _memory(training, "Rendered faces B")]
    figure = memory_use.draw(sets, classes=CLASSES, method="MDRNets", profile="tiny")
    result = texts(figure)
    assert [result.count(name) for name in ("skin (4)", "eye (8)", "hat (0)")] == [2, 2, 2]
    assert "Rendered faces B: reads by best slot, %" in result
    assert result.count("slots written so far, of 4") == 2
    assert any("MDRNets" in text and "profile tiny" in text for text in result)


def test_a_block_that_all_classes_share_says_so() -> None:
    shared = SlotsUsed(np.array([10]), ["all classes"], np.array([[3.0]]))
    figure = memory_use.draw([_memory(shared)], classes=CLASSES, method="MDRNets", profile="tiny")
    assert "all classes" in texts(figure)
