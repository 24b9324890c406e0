"""On made-up scores whose order is known: the report says what the numbers say."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mdrnets.config.load import Config
from mdrnets.evaluation.refined_faces import FaceScores, RefinedFaces, save_refined_faces
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout
from mdrnets.reporting.claims.refinement import COLUMNS, find_orders, render
from tests.helpers.example import make_ablation_config

N, D = 40, 6
LAYOUT = Layout("tiny")
TRUTH = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
COARSE_SKILL = 1.0

Counts = dict[tuple[str, str, str], tuple[int, int]]


def _config(*, seeds: int, variants: Sequence[str] = ("small",)) -> Config:
    return make_ablation_config((("full", "small", "none"),), run=variants, seeds=seeds)


def _scores(skill: float, *, seed: int, n: int = N) -> FaceScores:
    """Better by the skill in every score, with noise from image to image."""
    generator = np.random.default_rng(seed)
    noise = 0.3 * generator.normal(size=n)
    features = TRUTH[:n] + 0.3 * (3 - skill) + 0.1 * generator.normal(size=(n, D))
    return FaceScores(12 - skill + noise, 20 + skill - noise, features.astype(np.float32))


def _write(config: Config, network: str, skills: Sequence[float], *, n: int = N) -> None:
    """The skill of each training."""
    for number, (name, skill) in enumerate(zip(config.trainings(network), skills, strict=True)):
        faces = RefinedFaces(
            truth=TRUTH[:n],
            output=_scores(skill, seed=number, n=n),
            coarse=_scores(COARSE_SKILL, seed=10, n=n),
        )
        for dataset in config.profile.datasets:
            save_refined_faces(LAYOUT.refined_faces(dataset, name), faces)


def _counts(config: Config) -> Counts:
    """How many trainings show each order, and its reverse."""
    orders = find_orders(config, LAYOUT)
    return {(o.dataset, o.worse, o.metric.split("(")[0]): (o.shown, o.reversed) for o in orders}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("skills", "expected"),
    [
        ((2.0, 2.5), (2, 0)),
        ((0.0, 0.2), (0, 2)),
        ((2.0, 0.0), (1, 1)),
        ((2.0, 1.0), (1, 0)),  # the interval of one contains 0
        ((2.0,), (1, 0)),
    ],
)
def test_trainings_that_show_an_order_or_its_reverse_are_counted(
    skills: Sequence[float], expected: tuple[int, int]
) -> None:
    config = _config(seeds=len(skills))
    _write(config, "mdrnets", skills)
    _write(config, "mdrnets@small", [COARSE_SKILL] * len(skills))
    counts = _counts(config)
    coarse = {key: value for key, value in counts.items() if key[1] == "the coarse face"}
    assert len(coarse) == 2 * 3  # data sets and metrics
    assert set(coarse.values()) == {expected}
    assert counts["set_a", "“w/o small”", "FD"] == expected
    assert len(counts) == 7  # the ablations are on the first data set


def test_a_variant_that_is_not_run_is_left_out() -> None:
    config = _config(seeds=2, variants=())
    _write(config, "mdrnets", (2, 2))
    assert {worse for _, worse, _ in _counts(config)} == {"the coarse face"}


def test_too_few_images_show_nothing_about_distances() -> None:
    config = _config(seeds=2, variants=())
    _write(config, "mdrnets", (2, 2), n=3)
    assert _counts(config)["set_a", "the coarse face", "FD"] == (0, 0)


def test_the_files_say_what_the_numbers_say() -> None:
    config = _config(seeds=2)
    _write(config, "mdrnets", (1.5, 1.7))
    _write(config, "mdrnets@small", (2.5, 2.7))
    render(config, LAYOUT, "refinement")
    rows = read_table(LAYOUT.report("refinement.csv"), COLUMNS)
    assert len(rows) == 2 * 7
    for row in rows:
        better = float(row["difference"]) * (1 if row["metric"] == "PSNR dB" else -1)
        assert float(row["low"]) < float(row["difference"]) < float(row["high"])
        assert (row["shown"], row["reversed"]) == (("2", "0") if better > 0 else ("0", "2"))
        assert (row["worse"] == "the coarse face") == (better > 0)
    page = LAYOUT.report("refinement.md").read_text(encoding="utf-8")
    assert page.count("| 2 of 2     | 0 of 2") == 6
    assert page.count("| 0 of 2     | 2 of 2") == 1
    assert "1,280 dimensions" in page
