from pathlib import Path

import numpy as np
import pytest

from mdrnets.data.assignment import write_assignment
from mdrnets.errors import UserError
from mdrnets.reporting.figures.completed_set import CompletedSet, chosen, read_completed_set
from tests.helpers.made_up import BINS, METHODS, make_sets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a data set."""
    made, _ = make_sets()
    write_assignment(tmp_path / "a.csv", [pair for pairs in made.bins.values() for pair in pairs])
    np.save(tmp_path / "images.npy", made.images)
    np.save(tmp_path / "holes.npy", made.holes)
    for method, completions in made.completions.items():
        np.save(tmp_path / f"{method}.npy", completions)
    return tmp_path


def _read(folder: Path) -> CompletedSet:
    return read_completed_set(
        name="set_a",
        title="Rendered faces A",
        bins=BINS,
        assignment=folder / "a.csv",
        images=folder / "images.npy",
        holes=folder / "holes.npy",
        completions={method: folder / f"{method}.npy" for method in METHODS},
        profile="tiny",
    )


def test_what_was_written_is_read(folder: Path) -> None:
    made, found = make_sets()[0], _read(folder)
    assert found.count == 6 and list(found.bins) == list(BINS)
    for of_bin in BINS:
        assert np.array_equal(found.truth(of_bin, 4), made.images[4])
        assert found.hole(of_bin, 4).sum() == made.hole(of_bin, 4).sum() > 0
    expected = made.completions["pconv"][1, 4]
    assert np.array_equal(found.completed("pconv", "20-40", 4), expected)


def test_missing_completions_are_named_with_their_stage(folder: Path) -> None:
    (folder / "mdrnets.npy").unlink()
    with pytest.raises(UserError, match=r"mdrnets\.npy.*stages\.complete --profile tiny set_a"):
        _read(folder)


def test_a_missing_assignment_is_named(folder: Path) -> None:
    (folder / "a.csv").unlink()
    with pytest.raises(UserError, match=r"a\.csv"):
        _read(folder)


def test_completions_of_other_images_are_refused(folder: Path) -> None:
    np.save(folder / "pconv.npy", np.zeros((3, 5, 16, 16, 3), dtype=np.uint8))
    with pytest.raises(UserError, match=r"pconv\.npy: expected uint8 of 3×6×16×16×3"):
        _read(folder)


def test_the_choice_is_the_seeds_and_the_data_sets() -> None:
    found = chosen(60, BINS, 2, 2204, "figure5", "set_a")
    assert found == chosen(60, BINS, 2, 2204, "figure5", "set_a")
    assert found != chosen(60, BINS, 2, 2205, "figure5", "set_a")
    assert found != chosen(60, BINS, 2, 2204, "figure5", "set_b")


def test_no_image_is_shown_twice_where_there_are_enough() -> None:
    found = chosen(6, BINS, 2, 1, "figure5")
    assert sorted(at for positions in found.values() for at in positions) == list(range(6))


def test_few_images_are_shown_in_several_bins_but_once_in_each() -> None:
    found = chosen(3, BINS, 4, 1, "figure5")
    assert [sorted(positions) for positions in found.values()] == [[0, 1, 2]] * 3
