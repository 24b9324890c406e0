import csv
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mdrnets.data.tables import write_table
from mdrnets.errors import UserError
from mdrnets.evaluation import COLUMNS, write_features
from mdrnets.reporting.claims import FAILS, HOLDS, UNTESTED, Claims, Finding
from mdrnets.reporting.claims_page import claims_page, write_findings
from mdrnets.reporting.claims_results import Resampling, Results, read_results
from mdrnets.reporting.published import load_published
from mdrnets.reporting.table1 import table1_metrics
from tests.reporting.example import BINS, make_config

N, D = 40, 6
BASE = {"l1": 3.0, "psnr": 25.0, "ssim": 0.8}
BETTER = {"l1": -1.0, "psnr": 1.0, "ssim": 0.1}


def _results(skill: Mapping[str, tuple[float, float, float]], *, seed: int = 0) -> Results:
    """Scores that are better by a method's skill in each bin, and features that are nearer."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(N, D)).astype(np.float32)
    scores, features = {}, {}
    for number, bin_ in enumerate(BINS):
        hard = generator.normal(size=N)  # images differ more than methods do
        for method, skills in skill.items():
            for score, base in BASE.items():
                noise = 0.5 * hard + 0.1 * generator.normal(size=N)
                scores[score, method, bin_] = base + BETTER[score] * (skills[number] + noise)
            noise = generator.normal(size=(N, D)).astype(np.float32)
            features[method, bin_] = truth + 0.3 * (3 - skills[number]) + 0.1 * noise
    return Results(scores, features, truth)


def _findings(
    results: Mapping[str, Results], methods: tuple[str, ...] = ("pconv", "ict", "mdrnets")
) -> list[Finding]:
    return Claims(
        datasets=make_config().profile.datasets,
        metrics=table1_metrics("effnet-lite0"),
        bins=BINS,
        methods=methods,
        results=results,
        published=load_published(),
        resampling=Resampling(resamples=100, halves=10, permutations=999, confidence=0.95),
        seed=1,
    ).findings()


def _both(skill: Mapping[str, tuple[float, float, float]]) -> dict[str, Results]:
    return {"set_a": _results(skill, seed=1), "set_b": _results(skill, seed=2)}


@pytest.fixture(scope="module")
def won() -> list[Finding]:
    """MDRNets is first everywhere, and further ahead at larger holes. ICT is second."""
    return _findings(
        _both({"pconv": (-2, -2, -2), "ict": (-1.5, -1.5, -1.5), "mdrnets": (0, 1, 2.5)})
    )


@pytest.fixture(scope="module")
def lost() -> list[Finding]:
    """It is last everywhere, but less so at larger holes."""
    return _findings(_both({"pconv": (2, 2, 2), "ict": (0, 0, 0), "mdrnets": (-2, -1, 0.5)}))


def _kind(findings: list[Finding], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


def test_the_published_margins_are_those_of_the_paper(won: list[Finding]) -> None:
    best = _kind(won, "best")
    assert [(f.stands_for, f.published_metric, f.published) for f in best] == [
        ("CelebA-HQ", "L1", -0.963),
        ("CelebA-HQ", "FID", -4.661),
        ("CelebA-HQ", "PSNR", 1.687),
        ("CelebA-HQ", "SSIM", 0.035),
        ("FFHQ", "L1", -0.501),
        ("FFHQ", "FID", -0.401),
        ("FFHQ", "PSNR", 1.303),
        ("FFHQ", "SSIM", 0.032),
    ]
    assert {f.published_verdict for f in best} == {HOLDS}
    assert best[0].published_other == "ctsdg"
    (first,) = _kind(won, "first")
    assert (first.published, first.claim) == (23, "first in 23 of 24 columns of Table 1")


def test_the_one_exception_of_the_paper_is_found(won: list[Finding]) -> None:
    columns = _kind(won, "best") + _kind(won, "column")
    assert len(columns) == 24
    (exception,) = (f for f in columns if f.published_verdict == FAILS)
    assert (exception.stands_for, exception.metric, exception.bin) == ("FFHQ", "L1", "1-20")
    assert (exception.published, exception.published_other) == (0.051, "ctsdg")


def test_two_published_leads_are_smaller_at_large_holes(won: list[Finding]) -> None:
    shrinking = [f for f in _kind(won, "grows") if f.published_verdict == FAILS]
    assert [(f.stands_for, f.published_metric, f.published) for f in shrinking] == [
        ("CelebA-HQ", "PSNR", pytest.approx(1.687 - 2.356)),
        ("FFHQ", "FID", pytest.approx(0.401 - 0.771)),
    ]


def test_a_winners_claims_hold(won: list[Finding]) -> None:
    for finding in _kind(won, "best"):
        assert (finding.verdict, finding.other, finding.n) == (HOLDS, "ict", N)
        assert finding.here is not None and finding.low is not None and finding.high is not None
        assert finding.low < finding.here < finding.high
        assert (finding.here < 0) == (finding.metric in ("L1", "FD(effnet-lite0)"))
        assert finding.p is not None and finding.adjusted is not None
        assert finding.p <= finding.adjusted < 0.05
    (first,) = _kind(won, "first")
    assert (first.verdict, first.here) == (HOLDS, 24)
    assert {f.verdict for f in _kind(won, "grows")} == {HOLDS}


def test_a_losers_claims_do_not_hold(lost: list[Finding]) -> None:
    best = _kind(lost, "best")
    assert {(f.verdict, f.reason, f.other) for f in best} == {(FAILS, "the opposite sign", "pconv")}
    assert all(f.adjusted is not None and f.adjusted < 0.05 for f in best)
    (first,) = _kind(lost, "first")
    assert (first.verdict, first.reason) == (FAILS, "first in 0 of 24, significantly in 0")


def test_falling_behind_less_is_no_growing_lead(lost: list[Finding]) -> None:
    for finding in _kind(lost, "grows"):
        assert finding.here is not None and finding.here > 0
        assert (finding.verdict, finding.reason) == (FAILS, "no lead at 40–60 %")


def test_a_tie_does_not_hold() -> None:
    findings = _findings(_both({"pconv": (1, 1, 1), "ict": (0, 0, 0), "mdrnets": (1.02, 1, 1.02)}))
    tied = _kind(findings, "best") + _kind(findings, "grows")
    assert {f.verdict for f in tied} == {FAILS}
    assert "not significant" in {f.reason for f in tied}


def test_equal_scores_are_a_tie_with_p_1() -> None:
    results = _both({"pconv": (1, 1, 1), "mdrnets": (1, 1, 1)})
    for of_set in results.values():
        for (score, _, bin_), values in of_set.scores.items():
            values[:] = of_set.scores[score, "pconv", bin_]
        for method, bin_ in list(of_set.features):
            of_set.features[method, bin_][:] = of_set.features["pconv", bin_]
    findings = _findings(results, methods=("pconv", "mdrnets"))
    assert {(f.verdict, f.here, f.p) for f in _kind(findings, "best")} == {(FAILS, 0, 1)}
    (first,) = _kind(findings, "first")  # as under Table 1, where ties count for each
    assert (first.here, first.verdict) == (24, FAILS)


def test_holm_is_over_all_columns_of_the_table(won: list[Finding]) -> None:
    columns = _kind(won, "best") + _kind(won, "column")
    smallest = min(f.p for f in columns if f.p is not None)
    assert min(f.adjusted for f in columns if f.adjusted is not None) == pytest.approx(
        24 * smallest
    )
    growth = _kind(won, "grows")
    smallest = min(f.p for f in growth if f.p is not None)
    assert min(f.adjusted for f in growth if f.adjusted is not None) == pytest.approx(8 * smallest)


def test_infinite_psnr_everywhere_is_a_blank_with_its_reason() -> None:
    results = _both({"pconv": (0, 0, 0), "ict": (0, 0, 0), "mdrnets": (1, 1, 1)})
    results["set_a"].scores["psnr", "mdrnets", "40-60"][:] = np.inf
    findings = _findings(results)
    blank = [f for f in findings if f.here is None and f.kind != "later"]
    assert [(f.kind, f.dataset, f.metric) for f in blank] == [
        ("best", "set_a", "PSNR"),
        ("grows", "set_a", "PSNR"),
    ]
    assert {(f.verdict, f.reason) for f in blank} == {(UNTESTED, "infinite for every image")}
    assert blank[0].published == 1.687


@pytest.mark.parametrize(
    ("methods", "reason"),
    [
        (("mdrnets",), "fewer than two methods are run in this profile"),
        (("pconv", "ict"), "MDRNets is not run in this profile"),
    ],
)
def test_what_cannot_be_tested_says_why_and_keeps_the_published_numbers(
    methods: tuple[str, ...], reason: str
) -> None:
    findings = _findings({}, methods)
    assert {f.verdict for f in findings} == {UNTESTED}
    assert {f.reason for f in findings if f.kind != "later"} == {reason}
    assert all(f.published is not None for f in findings if f.kind != "later")
    assert all(f.reason for f in _kind(findings, "later"))


def test_it_is_deterministic() -> None:
    skill = {"pconv": (0.0, 0.0, 0.0), "mdrnets": (0.1, 0.1, 0.1)}
    first, second = (_findings(_both(skill), ("pconv", "mdrnets")) for _ in range(2))
    assert first == second


# -- the page and the table ------------------------------------------------------------------


def test_the_page_begins_with_the_verdicts(won: list[Finding]) -> None:
    page = claims_page(won, make_config(), facts=[("Seed", "1")])
    assert "**Of 21 claims, 17 hold, 0 do not hold, and 4 cannot be tested here.**" in page
    assert page.index("Of 21 claims") < page.index("| verdict") < page.index("**Seed**")
    assert "over the images of one training" in page
    assert "trained anew" in page


def test_another_distance_is_never_called_fid(won: list[Finding]) -> None:
    page = claims_page(won, make_config(), facts=[])
    (row,) = (line for line in page.splitlines() if "FID −4.661" in line)
    assert "FD(effnet-lite0) ↓" in row and "FID −4.661 from ICT: holds" in row
    assert all(f.metric != "FID" for f in won)


def test_the_published_leads_stand_beside_ours(won: list[Finding]) -> None:
    page = claims_page(won, make_config(), facts=[])
    (row,) = (line for line in page.splitlines() if "+2.356 → +1.687" in line)
    assert row.rstrip(" |").endswith("does not hold")


def test_the_table_holds_every_finding(won: list[Finding], tmp_path: Path) -> None:
    write_findings(tmp_path / "claims.csv", won)
    with (tmp_path / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(won) == 8 + 1 + 8 + 4 + 16
    assert list(rows[0]) == [field.name for field in fields(Finding)]
    assert (rows[0]["published"], rows[0]["verdict"], rows[0]["reason"]) == ("-0.963", HOLDS, "")


# -- reading ---------------------------------------------------------------------------------


def _write(folder: Path, method: str, *, holes: str = "h", bins: tuple[str, ...] = BINS) -> None:
    rows = [
        [image, bin_, f"{holes}{number}", 0.3, number, 20, 0.5, 1, 1, 1, 1, 1]
        for bin_ in bins
        for number, image in enumerate(("a", "b", "c", "d"))
    ]
    write_table(folder / f"{method}.csv", COLUMNS, rows)
    write_features(folder / f"{method}.npy", np.full((3, 4, 2), len(method), np.float32))


def _read(folder: Path) -> Results:
    write_features(folder / "truth.npy", np.zeros((4, 2), np.float32))
    methods = ("pconv", "mdrnets")
    return read_results(
        {method: folder / f"{method}.csv" for method in methods},
        {method: folder / f"{method}.npy" for method in methods},
        folder / "truth.npy",
        bins=BINS,
    )


def test_scores_and_features_are_read_by_method_and_bin(tmp_path: Path) -> None:
    for method in ("pconv", "mdrnets"):
        _write(tmp_path, method)
    results = _read(tmp_path)
    assert results.scores["l1", "mdrnets", "20-40"].tolist() == [0, 1, 2, 3]
    assert results.value("l1", "mdrnets", "20-40") == 1.5
    assert results.features["mdrnets", "1-20"].tolist() == [[7, 7]] * 4
    assert results.value("frechet", "pconv", "1-20") == pytest.approx(2 * 25)


def test_methods_scored_on_other_pairs_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, "pconv")
    _write(tmp_path, "mdrnets", holes="other")
    with pytest.raises(UserError, match=r"mdrnets\.csv: other images or holes"):
        _read(tmp_path)
    for method in ("pconv", "mdrnets"):
        _write(tmp_path, method, bins=BINS[:2])
    with pytest.raises(UserError, match=r"the same images in each of the bins 1-20, 20-40, 40-60"):
        _read(tmp_path)


def test_features_of_other_images_are_refused(tmp_path: Path) -> None:
    for method in ("pconv", "mdrnets"):
        _write(tmp_path, method)
    write_features(tmp_path / "mdrnets.npy", np.zeros((3, 5, 2), np.float32))
    with pytest.raises(UserError, match=r"mdrnets\.npy: expected float32 of 3×4×2"):
        _read(tmp_path)
