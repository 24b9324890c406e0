from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mdrnets.reporting.figures import figure1
from mdrnets.reporting.figures.completed_set import CompletedSet
from mdrnets.reporting.figures.style import MAX_WIDTH, mask_hole, save_figure
from tests.helpers.made_up import SETS, make_sets, pictures, texts


def _draw(sets: list[CompletedSet], method: str = "mdrnets") -> Figure:
    return figure1.draw(
        sets, method=method, title="MDRNets", bin_name="40-60", seed=2204, profile="tiny"
    )


def test_four_faces_of_each_data_set_stand_above_their_completions() -> None:
    sets = make_sets()
    result = pictures(_draw(sets))
    assert len(result) == 2 * 4 * 2
    for number, faces in enumerate(sets):
        for at in range(4):
            above, below = result[8 * number + 2 * at : 8 * number + 2 * at + 2]
            hole = faces.hole("40-60", 0)
            (row,) = [
                row
                for row in range(faces.count)
                if np.array_equal(above, mask_hole(faces.truth("40-60", row), hole))
            ]
            assert np.array_equal(below, faces.completion("mdrnets", "40-60", row))


def test_it_says_what_is_shown() -> None:
    result = texts(_draw(make_sets()))
    assert {"Input", "MDRNets", *SETS.values()} <= set(result)
    assert any("40–60 %" in text and "profile tiny" in text for text in result)


def test_the_choice_of_images_is_independent_of_the_method() -> None:
    sets = make_sets()
    ours, other = pictures(_draw(sets)), pictures(_draw(sets, "pconv"))
    assert all(np.array_equal(a, b) for a, b in zip(ours[::2], other[::2], strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(ours[1::2], other[1::2], strict=True))


def test_it_gives_the_same_bytes_again(tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        figure = _draw(make_sets())
        save_figure(figure, tmp_path / "a")
        contents.append([(tmp_path / f"a.{kind}").read_bytes() for kind in ("png", "pdf")])
    assert contents[0] == contents[1]
    assert figure.get_size_inches()[0] * figure.dpi <= MAX_WIDTH
