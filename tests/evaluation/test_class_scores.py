from pathlib import Path

import numpy as np
import pytest

from mdrnets.data.assignment import Pair
from mdrnets.errors import UserError
from mdrnets.evaluation.class_scores import (
    ClassMap,
    ClassScore,
    read_class_scores,
    score_classes,
)
from mdrnets.files.tables import write_rows

PAIRS = [Pair("a", 1, "1-20", "h0", 0, 0.25, "test"), Pair("b", 0, "1-20", "h1", 1, 0.5, "test")]


@pytest.fixture
def scores() -> list[ClassScore]:
    """Two images of 4×4: skin everywhere but for an eye of two pixels; the hole of the first
    covers the eye and some skin, that of the second a half of the eye.
    """
    labels = np.ones((4, 4), dtype=np.uint8)
    labels[1, 1:3] = 3
    holes = np.zeros((2, 4, 4), dtype=bool)
    holes[0, 1] = holes[1, :, :2] = True
    images = np.full((2, 4, 4, 3), 100, dtype=np.uint8)
    completions = images.copy()
    completions[0, 1] = 200  # skin in the hole
    completions[0, 1, 1], completions[0, 1, 2] = 110, 130  # the eye
    maps = {0: ClassMap(labels, "annotated"), 1: ClassMap(labels, "parsed")}
    result = score_classes("m", PAIRS, completions, images=images, holes=holes, maps=maps)
    return list(result)


def test_only_a_class_without_any_valid_pixel_is_scored_and_over_its_pixels_alone(
    scores: list[ClassScore],
) -> None:
    (score,) = scores
    assert (score.method, score.image, score.hole, score.label) == ("m", "a", "h0", "eye")
    assert (score.source, score.pixels) == ("parsed", 2)
    assert score.l1 == pytest.approx(100 * 20 / 255)
    assert score.psnr == pytest.approx(10 * np.log10(255**2 / ((10**2 + 30**2) / 2)))


def test_a_class_that_the_image_has_not_is_never_scored() -> None:
    labels = np.ones((4, 4), dtype=np.uint8)
    images = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    holes = np.zeros((2, 4, 4), dtype=bool)
    holes[:, 0, 0] = True
    maps = dict.fromkeys((0, 1), ClassMap(labels, "annotated"))
    assert not list(score_classes("m", PAIRS, images, images=images, holes=holes, maps=maps))


def test_what_is_written_is_read(scores: list[ClassScore], tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    write_rows(path, ClassScore, scores)
    assert read_class_scores(path, ["m"]) == {"m": scores}


@pytest.mark.parametrize("methods", [["other"], ["m", "other"]])
def test_scores_of_other_methods_are_refused(
    scores: list[ClassScore], tmp_path: Path, methods: list[str]
) -> None:
    write_rows(tmp_path / "scores.csv", ClassScore, scores)
    with pytest.raises(UserError, match=r"scores\.csv"):
        read_class_scores(tmp_path / "scores.csv", methods)
