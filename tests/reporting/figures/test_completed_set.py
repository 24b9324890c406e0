from pathlib import Path

import numpy as np
import pytest

from mdrnets.data.assignment import Pair
from mdrnets.errors import UserError
from mdrnets.files.tables import write_rows
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, choose_images, read_completed_set
from tests.helpers.example import make_config
from tests.helpers.made_up import BINS, METHODS, make_sets

LAYOUT = Layout("tiny")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: the files of a data set."""
    monkeypatch.chdir(tmp_path)
    source, _ = make_sets()
    pairs = [pair for pairs in source.bins.values() for pair in pairs]
    write_rows(LAYOUT.assignment("set_a"), Pair, pairs)
    _save(LAYOUT.images("set_a"), source.images)
    _save(LAYOUT.holes(), source.holes)
    for method, completions in source.completions.items():
        _save(LAYOUT.completions("set_a", method), completions)
    return tmp_path


def _save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def _read() -> CompletedSet:
    return read_completed_set(make_config(), "set_a", METHODS)


def test_what_was_written_is_read() -> None:
    source, result = make_sets()[0], _read()
    assert result.count == 6 and list(result.bins) == list(BINS)
    for bin_name in BINS:
        assert np.array_equal(result.truth(bin_name, 4), source.images[4])
        assert result.hole(bin_name, 4).sum() == source.hole(bin_name, 4).sum() > 0
    expected = source.completions["pconv"][1, 4]
    assert np.array_equal(result.completion("pconv", "20-40", 4), expected)


def test_completions_of_other_images_are_refused() -> None:
    _save(LAYOUT.completions("set_a", "pconv"), np.zeros((3, 5, 16, 16, 3), dtype=np.uint8))
    with pytest.raises(UserError, match=r"pconv\.npy"):
        _read()


def test_the_choice_is_the_seeds_and_the_data_sets() -> None:
    result = choose_images(60, BINS, 2, 2204, "figure5", "set_a")
    assert result == choose_images(60, BINS, 2, 2204, "figure5", "set_a")
    assert result != choose_images(60, BINS, 2, 2205, "figure5", "set_a")
    assert result != choose_images(60, BINS, 2, 2204, "figure5", "set_b")


def test_no_image_is_shown_twice_where_there_are_enough() -> None:
    result = choose_images(6, BINS, 2, 1, "figure5")
    assert sorted(at for positions in result.values() for at in positions) == list(range(6))


def test_few_images_are_shown_in_several_bins_but_once_in_each() -> None:
    result = choose_images(3, BINS, 4, 1, "figure5")
    assert [sorted(positions) for positions in result.values()] == [[0, 1, 2]] * 3
