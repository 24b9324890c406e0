"""On made-up scores whose order is known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from mdrnets.config.load import Config, load_config
from mdrnets.config.protocol import PerClass
from mdrnets.data.classes import CLASSES
from mdrnets.evaluation.class_scores import ClassScore
from mdrnets.metrics.paired import signed_rank
from mdrnets.reporting.claims.ablations import ablation_findings
from mdrnets.reporting.claims.classes import SCORES, class_findings
from mdrnets.reporting.claims.finding import (
    CONTRADICTED,
    LEVEL,
    SUPPORTED,
    UNDECIDED,
    UNTESTED,
    Finding,
)
from mdrnets.reporting.claims.markdown import format_claims
from mdrnets.reporting.claims.results import Resampling, Results
from tests.helpers.example import BINS, make_ablation_config

RESAMPLING = Resampling(resamples=100, halves=10, permutations=999, confidence=0.95)
N, D, FEWEST = 40, 6, 11


def _config(run: Sequence[str] = ("small", "none"), seeds: int = 3) -> Config:
    return make_ablation_config(
        (("full", "small", "none"), ("full", "small")),
        run=run,
        seeds=seeds,
        per_class=PerClass(baseline="none", parser="coarse", min_images=FEWEST),
    )


def _results(skill: Mapping[str, float], seeds: int = 3) -> Results:
    """Scores that are better by a network's skill, and features that are nearer."""
    generator = np.random.default_rng(1)
    truth = generator.normal(size=(N, D)).astype(np.float32)
    scores, features = {}, {}
    for bin_ in BINS:
        hard = generator.normal(size=N)
        for network, better in skill.items():
            for score, base, sign in (("l1", 3, -1), ("psnr", 25, 1), ("ssim", 0.8, 0.1)):
                noise = 0.5 * hard + 0.1 * generator.normal(size=(seeds, N))
                scores[score, network, bin_] = base + sign * (better + noise)
            noise = generator.normal(size=(seeds, N, D)).astype(np.float32)
            features[network, bin_] = list(truth + 0.3 * (3 - better) + 0.1 * noise)
    return Results(scores, features, truth)


def _ablations(full: float, small: float, none: float, seeds: int = 3) -> list[Finding]:
    skill = {"mdrnets": full, "mdrnets@small": small, "mdrnets@none": none}
    results = _results(skill, seeds)
    return ablation_findings(_config(seeds=seeds), results, resampling=RESAMPLING)


def _verdicts(findings: Sequence[Finding]) -> dict[str, set[tuple[str, str | None]]]:
    claims: dict[str, set[tuple[str, str | None]]] = {}
    for finding in findings:
        claims.setdefault(finding.claim, set()).add((finding.verdict, finding.reason))
    return claims


FIRST = "the full method is better than “w/o small”"
SECOND = "“w/o small” is better than “w/o none”"


def test_an_order_that_is_there_is_supported() -> None:
    findings = _ablations(2, 1, 0)
    assert _verdicts(findings) == {FIRST: {(SUPPORTED, None)}, SECOND: {(SUPPORTED, None)}}
    assert len(findings) == 2 * 4 * 3  # the pair that is named twice is tested once
    first = findings[0]
    assert (first.method, first.other) == ("mdrnets", "mdrnets@small")
    assert (first.dataset, first.metric, first.bin, first.n) == ("set_a", "L1", "1-20", N)
    assert first.here == pytest.approx(-1, abs=0.1)
    assert first.published is None and first.published_verdict is None


def test_a_reversed_order_is_contradicted_and_a_tie_undecided() -> None:
    verdicts = _verdicts(_ablations(0, 1, 1))
    assert verdicts[FIRST] == {(CONTRADICTED, "the opposite sign")}
    assert verdicts[SECOND] == {(UNDECIDED, "no significant difference")}


def test_one_training_decides_nothing_between_variants() -> None:
    verdicts = _verdicts(_ablations(2, 1, 1, seeds=1))
    assert verdicts[FIRST] == {(UNDECIDED, "one training")}
    assert verdicts[SECOND] == {(UNDECIDED, "no significant difference")}
    findings = class_findings(
        _config(seeds=1), _scores({"eye": 20}, {"eye": 1}, seeds=1), resampling=RESAMPLING
    )
    eye = next(f for f in findings if f.label == "eye")
    assert (eye.verdict, eye.reason) == (UNDECIDED, "one training")
    assert eye.adjusted_p is not None and eye.adjusted_p < 0.05


def test_trainings_that_differ_more_than_variants_decide_nothing() -> None:
    """Each training shows a difference significantly, which chance alone does every fourth time."""
    results = _results({"mdrnets": 1, "mdrnets@small": 0, "mdrnets@none": 0})
    luck = np.array([[0.0], [1.0], [2.0]])  # later trainings of every network are better
    scores = {
        key: scores - luck if key[0] == "l1" else scores for key, scores in results.scores.items()
    }
    findings = ablation_findings(_config(), replace(results, scores=scores), resampling=RESAMPLING)
    l1, psnr = (next(f for f in findings if f.metric == metric) for metric in ("L1", "PSNR"))
    assert (l1.shown_by, l1.trainings, l1.verdict) == (3, 3, UNDECIDED)
    assert l1.p is not None and l1.p * len(findings) < 0.05
    assert l1.trainings_p is not None and l1.trainings_p > 0.05
    assert psnr.verdict == SUPPORTED


def _check_holm(findings: Sequence[Finding], tests: int) -> None:
    larger = [max(f.p, f.trainings_p) for f in findings if f.p is not None and f.trainings_p]
    assert len(larger) == tests
    adjusted = min(f.adjusted_p for f in findings if f.adjusted_p)
    assert adjusted == pytest.approx(tests * min(larger))


def test_holm_is_over_all_pairs_metrics_and_bins() -> None:
    _check_holm(_ablations(2, 1, 0), 24)


def test_a_variant_that_is_not_run_cannot_be_tested() -> None:
    config = _config(run=["small"])
    findings = ablation_findings(
        config, _results({"mdrnets": 2, "mdrnets@small": 1}), resampling=RESAMPLING
    )
    verdicts = _verdicts(findings)
    assert verdicts[FIRST] == {(SUPPORTED, None)}
    assert verdicts[SECOND] == {(UNTESTED, "“w/o none” is not run in this profile")}
    none_run = _verdicts(ablation_findings(_config(run=[]), None, resampling=RESAMPLING))
    assert none_run[FIRST] == {(UNTESTED, "“w/o small” is not run in this profile")}


# -- whole classes ---------------------------------------------------------------------------


def _scores(
    pairs: Mapping[str, int],
    gain: Mapping[str, float],
    *,
    source: str = "annotated",
    seeds: int = 3,
    loss: float = 0,
) -> dict[str, list[ClassScore]]:
    """The full method is better by `gain` in each class; each further training by `loss` less."""
    generator = np.random.default_rng(3)
    scores: dict[str, list[ClassScore]] = {}
    for label, count in pairs.items():
        for number in range(count):
            hard = generator.normal()
            for network in ("mdrnets", "mdrnets@none"):
                for seed in range(1, seeds + 1):
                    name = network if seed == 1 else f"{network}@seed{seed}"
                    better = (gain[label] - loss * (seed - 1)) * (network == "mdrnets")
                    better += 0.1 * generator.normal() + hard
                    pair = (name, f"{number}", "1-20", f"h{number}", label, source, 9)
                    score = ClassScore(*pair, l1=5 - better, psnr=20 + better)
                    scores.setdefault(name, []).append(score)
    return scores


def test_classes_are_judged_one_by_one() -> None:
    pairs = {"eye": 20, "nose": 30, "hat": FEWEST - 1, "hair": FEWEST}
    scores = _scores(pairs, {"eye": 1, "nose": -1, "hat": 1, "hair": 1})
    findings = class_findings(_config(), scores, resampling=RESAMPLING)
    assert len(findings) == 14 * 2
    by_class = {f.label: (f.verdict, f.reason, f.n) for f in findings}
    assert by_class["eye"] == (SUPPORTED, None, 20)
    assert by_class["nose"] == (CONTRADICTED, "the opposite sign", 30)
    assert by_class["hat"] == (UNTESTED, "fewer than 11 images", 10)
    assert by_class["ear"] == (UNTESTED, "fewer than 11 images", 0)
    assert by_class["hair"] == (SUPPORTED, None, FEWEST)
    eye = next(f for f in findings if f.label == "eye")
    assert (eye.metric, eye.dataset, eye.source) == ("hole L1", "set_a", "annotated")
    assert eye.here == pytest.approx(-1, abs=0.1)
    _check_holm(findings, 6)


def test_the_fewest_images_pass_holms_over_all_classes_and_one_fewer_do_not() -> None:
    """The reason beside `per_class.min_images` in params.yaml."""
    protocol = load_config("demo").protocol
    fewest, tests = protocol.per_class.min_images, len(SCORES) * len(CLASSES)
    p = [signed_rank(np.arange(1, n + 1)) for n in (fewest, fewest - 1)]  # all of one sign
    assert p[0] * tests < LEVEL < p[1] * tests


def test_infinite_psnrs_are_left_out() -> None:
    scores = _scores({"eye": FEWEST}, {"eye": 1})
    first = scores["mdrnets"][0]
    values = {**vars(first), "psnr": float("inf")}
    scores["mdrnets"][0] = ClassScore(**values)
    eye = {
        f.metric: (f.reason, f.n)
        for f in class_findings(_config(), scores, resampling=RESAMPLING)
        if f.label == "eye"
    }
    assert eye == {"hole L1": (None, 11), "hole PSNR": ("fewer than 11 images", 10)}


def test_holes_of_one_image_are_no_further_images() -> None:
    """Repeated scores add no evidence: neither n nor p changes."""
    scores = _scores({"eye": FEWEST}, {"eye": 1})
    repeated = {
        name: [*rows, *(replace(row, bin="20-40") for row in rows)] for name, rows in scores.items()
    }
    once, twice = (
        class_findings(_config(), rows, resampling=RESAMPLING) for rows in (scores, repeated)
    )
    assert once == twice


def test_of_several_trainings_the_mean_of_each_image_is_tested() -> None:
    scores = _scores({"eye": 20}, {"eye": 1.1}, loss=0.1)
    findings = class_findings(_config(), scores, resampling=RESAMPLING)
    eye = next(f for f in findings if f.label == "eye")
    assert (eye.n, eye.trainings, eye.verdict) == (20, 3, SUPPORTED)
    assert eye.here == pytest.approx(-1, abs=0.1)
    assert (eye.least, eye.most) == (pytest.approx(-1.1, abs=0.1), pytest.approx(-0.9, abs=0.1))


def test_without_the_variant_the_classes_cannot_be_tested() -> None:
    (finding,) = class_findings(_config(run=["small"]), None, resampling=RESAMPLING)
    assert (finding.verdict, finding.reason) == (
        UNTESTED,
        "“w/o none” is not run in this profile",
    )


# -- the page --------------------------------------------------------------------------------


def test_the_page_tells_orders_and_classes() -> None:
    config = _config()
    findings = [
        *_ablations(2, 1, 1),
        *class_findings(
            config, _scores({"eye": 20, "hat": 3}, {"eye": 1, "hat": 1}), resampling=RESAMPLING
        ),
    ]
    page = format_claims(findings, config, facts=[])
    lines = page.splitlines()
    assert any(
        line.startswith("| **supported** ") and "The full method is" in line for line in lines
    )
    eye, *_ = (line for line in lines if "| eye: " in line)
    cells = [cell.strip() for cell in eye.split("|")]
    assert (cells[1], cells[3]) == ("**supported**", "eye: hole L1 % ↓")
    assert any(
        cell.startswith("signed rank, n = 20; t-test over 3 trainings, p ") for cell in cells
    )
    assert "The classes are from the annotations of the images." in page
    (hat,) = (line for line in lines if "| hat: hole L1 " in line)
    assert f"| {UNTESTED}: fewer than 11 images " in hat and "| n = 3 " in hat
    assert "The paper's numbers for this table are not available to us" in page


def test_the_page_tells_what_was_parsed_and_what_is_not_run() -> None:
    config = _config(run=["none"])
    scores = _scores({"eye": 20}, {"eye": 1}, source="parsed")
    findings = [
        *ablation_findings(
            config, _results({"mdrnets": 1, "mdrnets@none": 0}), resampling=RESAMPLING
        ),
        *class_findings(config, scores, resampling=RESAMPLING),
    ]
    page = format_claims(findings, config, facts=[])
    assert "the face parser's maps of the ground truth" in page
    assert f"**{UNTESTED}**: “w/o small” is not run in this profile." in page
