from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind

from mdrnets.errors import UserError
from mdrnets.evaluation.features import write_features
from mdrnets.evaluation.scores import Score
from mdrnets.files.tables import field_names, write_table
from mdrnets.layout import Layout
from mdrnets.reporting.claims.results import Resampling, Results, read_results
from tests.helpers.example import BINS

LAYOUT = Layout("tiny")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: scores and features of two methods."""
    monkeypatch.chdir(tmp_path)
    for method in ("pconv", "mdrnets"):
        _write(method)
    write_features(LAYOUT.true_features("one"), np.zeros((4, 2), np.float32))
    return tmp_path


def _write(
    method: str, *, holes: str = "h", bins: tuple[str, ...] = BINS, worse: float = 0
) -> None:
    rows = [
        [image, bin_, f"{holes}{number}", 0.3, number + worse, 20, 0.5, 1, 1, 1, 1, 1]
        for bin_ in bins
        for number, image in enumerate(("a", "b", "c", "d"))
    ]
    write_table(LAYOUT.scores("one", method), field_names(Score), rows)
    features = np.full((3, 4, 2), len(method), np.float32)
    write_features(LAYOUT.features("one", method), features)


def _read(**trainings: tuple[str, ...]) -> Results:
    methods = {"pconv": ("pconv",), "mdrnets": ("mdrnets",)} | trainings
    return read_results(LAYOUT, "one", methods, bins=BINS)


def test_scores_and_features_are_read_by_method_and_bin(folder: Path) -> None:
    results = _read()
    assert results.scores["l1", "mdrnets", "20-40"].tolist() == [[0, 1, 2, 3]]
    assert results.value("l1", "mdrnets", "20-40") == 1.5
    (features,) = results.features["mdrnets", "1-20"]
    assert features.tolist() == [[7, 7]] * 4
    assert results.value("frechet", "pconv", "1-20") == pytest.approx(2 * 25)


def test_what_has_nothing_to_train_stands_beside_each_training(folder: Path) -> None:
    _write("mdrnets@seed2", worse=1)
    results = _read(mdrnets=("mdrnets", "mdrnets@seed2"))
    assert results.scores["l1", "mdrnets", "1-20"].tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert results.scores["l1", "pconv", "1-20"].tolist() == [[0, 1, 2, 3]] * 2
    assert [len(sets) for sets in results.features.values()] == [2] * 6
    assert results.value("l1", "mdrnets", "1-20") == 2
    pair = {("mdrnets", "1-20"): 1, ("pconv", "1-20"): -1}
    resampling = Resampling(resamples=10, halves=10, permutations=19, confidence=0.95)
    each = results.by_training("l1", pair, resampling=resampling, seed=1)
    assert [one.value for one in each if one] == [0, 1]
    assert _read().by_training("l1", pair, resampling=resampling, seed=1) == []


def test_trainings_are_compared_by_their_means(folder: Path) -> None:
    for method in ("mdrnets", "pconv"):
        _write(f"{method}@seed2", worse=1)
    one = _read()
    two = _read(mdrnets=("mdrnets", "mdrnets@seed2"), pconv=("pconv", "pconv@seed2"))
    assert one.trainings_p("l1", "mdrnets", "pconv", "1-20") is None
    assert two.trainings_p("l1", "mdrnets", "pconv", "1-20") == 1
    p = two.trainings_p("frechet", "mdrnets", "pconv", "1-20")
    distances = [
        [results.value("frechet", method, "1-20") for results in two.trainings()]
        for method in ("mdrnets", "pconv")
    ]
    assert p == pytest.approx(ttest_ind(*distances, equal_var=False).pvalue)


def test_methods_scored_on_other_pairs_are_refused(folder: Path) -> None:
    _write("mdrnets", holes="other")
    with pytest.raises(UserError, match=r"mdrnets\.csv: other images or holes"):
        _read()
    for method in ("pconv", "mdrnets"):
        _write(method, bins=BINS[:2])
    with pytest.raises(UserError, match=r"the same images in each of the bins 1-20, 20-40, 40-60"):
        _read()


def test_features_of_other_images_are_refused(folder: Path) -> None:
    write_features(LAYOUT.features("one", "mdrnets"), np.zeros((3, 5, 2), np.float32))
    with pytest.raises(UserError, match=r"mdrnets\.npy: expected float32 of 3×4×2"):
        _read()
