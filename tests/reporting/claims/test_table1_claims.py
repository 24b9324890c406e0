import csv
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mdrnets.files.tables import write_rows
from mdrnets.metrics.paired import holm, signed_rank
from mdrnets.reporting.claims.finding import (
    AS_CLAIMED,
    CONTRADICTED,
    MIXED,
    NOT_AS_CLAIMED,
    SUPPORTED,
    UNDECIDED,
    UNTESTED,
    Finding,
    combine_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.markdown import format_claims
from mdrnets.reporting.claims.results import Resampling, Results
from mdrnets.reporting.claims.table1 import Table1Claims
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.published import load_published
from tests.helpers.example import BINS, make_config

N, D = 40, 6
BASE = {"l1": 3.0, "psnr": 25.0, "ssim": 0.8}
BETTER = {"l1": -1.0, "psnr": 1.0, "ssim": 0.1}


def _results(
    skill: Mapping[str, tuple[float, float, float]],
    *,
    seed: int = 0,
    luck: tuple[float, ...] = (0,),
) -> Results:
    """Scores that are better by a method's skill in each bin, and features that are nearer.

    `luck` is MDRNets' alone, one number a training.
    """
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(N, D)).astype(np.float32)
    scores, features = {}, {}
    for number, bin_ in enumerate(BINS):
        hard = generator.normal(size=N)  # images differ more than methods do
        for method, skills in skill.items():
            better = [skills[number] + (chance if method == "mdrnets" else 0) for chance in luck]
            for score, base in BASE.items():
                noise = 0.5 * hard + 0.1 * generator.normal(size=N)
                scores[score, method, bin_] = np.array(
                    [base + BETTER[score] * (one + noise) for one in better]
                )
            noise = generator.normal(size=(N, D)).astype(np.float32)
            features[method, bin_] = [truth + 0.3 * (3 - one) + 0.1 * noise for one in better]
    return Results(scores, features, truth)


def _findings(
    results: Mapping[str, Results],
    methods: tuple[str, ...] = ("pconv", "ict", "mdrnets"),
    bins: Collection[str] = BINS,
) -> list[Finding]:
    """`bins` are those that the paper has."""
    return Table1Claims(
        datasets=make_config().profile.datasets,
        metrics=table1_metrics("effnet-lite0"),
        bins=BINS,
        methods=methods,
        results=results,
        published={key: value for key, value in load_published().items() if key[3] in bins},
        resampling=Resampling(resamples=100, halves=10, permutations=999, confidence=0.95),
        seed=1,
    ).findings()


def _both(
    skill: Mapping[str, tuple[float, float, float]], *, luck: tuple[float, ...] = (0,)
) -> dict[str, Results]:
    return {
        "set_a": _results(skill, seed=1, luck=luck),
        "set_b": _results(skill, seed=2, luck=luck),
    }


@pytest.fixture(scope="module")
def findings_ahead() -> list[Finding]:
    """MDRNets is first everywhere, and further ahead at larger holes. ICT is second."""
    return _findings(
        _both({"pconv": (-2, -2, -2), "ict": (-1.5, -1.5, -1.5), "mdrnets": (0, 1, 2.5)})
    )


@pytest.fixture(scope="module")
def findings_behind() -> list[Finding]:
    """It is last everywhere, but less so at larger holes."""
    return _findings(_both({"pconv": (2, 2, 2), "ict": (0, 0, 0), "mdrnets": (-2, -1, 0.5)}))


def _kind(findings: list[Finding], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


def test_the_published_margins_are_those_of_the_paper(findings_ahead: list[Finding]) -> None:
    best = _kind(findings_ahead, "best")
    assert [(f.published_as, f.published_metric, f.published) for f in best] == [
        ("CelebA-HQ", "L1", -0.963),
        ("CelebA-HQ", "FID", -4.661),
        ("CelebA-HQ", "PSNR", 1.687),
        ("CelebA-HQ", "SSIM", 0.035),
        ("FFHQ", "L1", -0.501),
        ("FFHQ", "FID", -0.401),
        ("FFHQ", "PSNR", 1.303),
        ("FFHQ", "SSIM", 0.032),
    ]
    assert {f.published_verdict for f in best} == {AS_CLAIMED}
    assert best[0].published_other == "ctsdg"
    (first,) = _kind(findings_ahead, "first")
    assert (first.published, first.claim) == (23, "MDRNets is first in 23 of 24 columns of Table 1")


def test_the_one_exception_of_the_paper_is_found(findings_ahead: list[Finding]) -> None:
    columns = _kind(findings_ahead, "best") + _kind(findings_ahead, "column")
    assert len(columns) == 24
    (exception,) = (f for f in columns if f.published_verdict == NOT_AS_CLAIMED)
    assert (exception.published_as, exception.metric, exception.bin) == ("FFHQ", "L1", "1-20")
    assert (exception.published, exception.published_other) == (0.051, "ctsdg")


def test_two_published_leads_are_smaller_at_large_holes(findings_ahead: list[Finding]) -> None:
    shrinking = [f for f in _kind(findings_ahead, "grows") if f.published_verdict == NOT_AS_CLAIMED]
    assert [(f.published_as, f.published_metric, f.published) for f in shrinking] == [
        ("CelebA-HQ", "PSNR", pytest.approx(1.687 - 2.356)),
        ("FFHQ", "FID", pytest.approx(0.401 - 0.771)),
    ]


def test_a_winners_claims_hold(findings_ahead: list[Finding]) -> None:
    for finding in _kind(findings_ahead, "best"):
        assert (finding.verdict, finding.other, finding.n) == (SUPPORTED, "ict", N)
        assert finding.here is not None and finding.low is not None and finding.high is not None
        assert finding.low < finding.here < finding.high
        assert (finding.here < 0) == (finding.metric in ("L1", "FD(effnet-lite0)"))
        assert finding.p is not None and finding.adjusted_p is not None
        assert finding.p <= finding.adjusted_p < 0.05
    (first,) = _kind(findings_ahead, "first")
    assert (first.verdict, first.here) == (SUPPORTED, 24)
    assert {f.verdict for f in _kind(findings_ahead, "grows")} == {SUPPORTED}


def test_a_losers_claims_are_contradicted(findings_behind: list[Finding]) -> None:
    best = _kind(findings_behind, "best")
    assert {(f.verdict, f.reason, f.other) for f in best} == {
        (CONTRADICTED, "the opposite sign", "pconv")
    }
    assert all(f.adjusted_p is not None and f.adjusted_p < 0.05 for f in best)
    (first,) = _kind(findings_behind, "first")
    assert (first.verdict, first.reason) == (
        CONTRADICTED,
        "first in 0 of 24 columns, significantly in 0; significantly behind in 24",
    )


def test_falling_behind_less_is_no_growing_lead(findings_behind: list[Finding]) -> None:
    for finding in _kind(findings_behind, "grows"):
        assert finding.here is not None and finding.here > 0
        assert (finding.verdict, finding.reason) == (
            CONTRADICTED,
            "significantly behind at 40–60 %",
        )


def test_a_tie_is_undecided() -> None:
    findings = _findings(_both({"pconv": (1, 1, 1), "ict": (0, 0, 0), "mdrnets": (1.02, 1, 1.02)}))
    tied = _kind(findings, "best") + _kind(findings, "grows")
    assert {(f.verdict, f.reason) for f in tied} == {(UNDECIDED, "no significant difference")}


def test_equal_scores_are_a_tie_with_p_1() -> None:
    results = _both({"pconv": (1, 1, 1), "mdrnets": (1, 1, 1)})
    for one_set in results.values():
        for (score, _, bin_), values in one_set.scores.items():
            values[:] = one_set.scores[score, "pconv", bin_]
        for method, bin_ in list(one_set.features):
            one_set.features[method, bin_][:] = one_set.features["pconv", bin_]  # type: ignore[index]
    findings = _findings(results, methods=("pconv", "mdrnets"))
    assert {(f.verdict, f.here, f.p) for f in _kind(findings, "best")} == {(UNDECIDED, 0, 1)}
    (first,) = _kind(findings, "first")  # as under Table 1, where ties count for each
    assert (first.here, first.verdict) == (24, UNDECIDED)


def test_holm_is_over_all_columns_of_the_table(findings_ahead: list[Finding]) -> None:
    columns = _kind(findings_ahead, "best") + _kind(findings_ahead, "column")
    for tests, count in ((columns, 24), (_kind(findings_ahead, "grows"), 8)):
        p_values = [f.p for f in tests if f.p is not None]
        assert len(p_values) == count
        assert [f.adjusted_p for f in tests] == holm(p_values)


def test_infinite_psnr_everywhere_is_a_blank_with_its_reason() -> None:
    results = _both({"pconv": (0, 0, 0), "ict": (0, 0, 0), "mdrnets": (1, 1, 1)})
    results["set_a"].scores["psnr", "mdrnets", "40-60"][:] = np.inf
    findings = _findings(results)
    blank = [f for f in findings if f.here is None]
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
    assert {f.reason for f in findings} == {reason}
    assert all(f.published is not None for f in findings)


@pytest.mark.parametrize(
    ("bins", "claim"), [(("1-20", "40-60"), "MDRNets is first in 15 of 16 columns"), ((), None)]
)
def test_columns_that_the_paper_lacks_are_no_claim(
    bins: Collection[str], claim: str | None
) -> None:
    skill = {"pconv": (-2.0,) * 3, "ict": (-1.0,) * 3, "mdrnets": (0.0, -3.0, 0.0)}
    firsts = _kind(_findings(_both(skill), bins=bins), "first")
    assert [finding.here for finding in firsts] == ([16] if claim else [])
    assert all(finding.claim.startswith(str(claim)) for finding in firsts)


def test_it_is_deterministic() -> None:
    skill = {"pconv": (0.0, 0.0, 0.0), "mdrnets": (0.1, 0.1, 0.1)}
    first, second = (_findings(_both(skill), ("pconv", "mdrnets")) for _ in range(2))
    assert first == second


# -- several trainings -----------------------------------------------------------------------


def test_of_several_trainings_the_mean_is_tested_and_the_range_told() -> None:
    skill = {"ict": (0.0, 0.0, 0.0), "mdrnets": (1.0, 1.0, 1.0)}
    (one, *_), (three, *_) = (
        _findings(_both(skill, luck=luck), ("ict", "mdrnets")) for luck in ((0,), (-0.5, 0, 0.5))
    )
    assert (one.metric, one.bin, one.trainings, one.least) == ("L1", "40-60", 1, None)
    assert three.verdict == SUPPORTED and three.trainings == 3
    assert one.here is not None and three.least is not None and three.most is not None
    assert three.here == pytest.approx(one.here)
    assert three.least == pytest.approx(one.here - 0.5)
    assert three.most == pytest.approx(one.here + 0.5)


@pytest.mark.parametrize("unlucky", [-1.5, -1.0])  # the opposite sign, and no difference
def test_a_claim_needs_every_training(unlucky: float) -> None:
    skill = {"ict": (0.0, 0.0, 0.0), "mdrnets": (1.0, 1.0, 1.0)}
    findings = _findings(_both(skill, luck=(unlucky, 0.2, 0.2)), ("ict", "mdrnets"))
    best = [f for f in _kind(findings, "best") if f.metric != "FD(effnet-lite0)"]
    assert all(f.adjusted_p is not None and f.adjusted_p < 0.05 for f in best)
    assert {(f.verdict, f.reason, f.shown_by, f.trainings) for f in best} == {
        (UNDECIDED, "not shown by every training", 2, 3)
    }


def test_being_behind_the_best_of_others_counts_their_number() -> None:
    """The best of several equal methods is ahead by chance alone."""
    behind = {"pconv": (0.0, 0.0, 0.0), "mdrnets": (-0.03, -0.03, -0.03)}
    many = dict.fromkeys(("pconv", "deepfillv2", "pic", "ctsdg", "dsi"), behind["pconv"])
    for skill in (behind, many | behind):
        results = _both(skill)
        for finding in _findings(results, tuple(skill)):
            if finding.kind in ("best", "column") and finding.metric == "L1":
                assert finding.here is not None and finding.here > 0 and finding.p is not None
                pair = "mdrnets", str(finding.other), str(finding.bin)
                a, b = (results[str(finding.dataset)].scores["l1", m, pair[2]] for m in pair[:2])
                alone = signed_rank((a - b)[0])
                assert finding.p == pytest.approx(min(1, alone * (len(skill) - 1)))


def test_the_distance_of_several_trainings_is_their_mean() -> None:
    results = _results({"ict": (0, 0, 0), "mdrnets": (1, 1, 1)}, luck=(0, 1))
    single = [
        Results({}, {key: [sets[k]] for key, sets in results.features.items()}, results.truth)
        for k in (0, 1)
    ]
    resampling = Resampling(resamples=100, halves=10, permutations=99, confidence=0.95)
    pair = "mdrnets", "ict", "1-20"
    both, *each = (
        r.difference("frechet", *pair, resampling=resampling, seed=1) for r in (results, *single)
    )
    assert both is not None and None not in each
    assert both.value == pytest.approx(np.mean([e.value for e in each if e]))
    assert both.p == 0.01


# -- the page and the table ------------------------------------------------------------------


def test_the_page_begins_with_the_verdicts(findings_ahead: list[Finding]) -> None:
    page = format_claims(findings_ahead, make_config(), facts=[("Seed", "1")])
    counts = "17 supported, 0 contradicted, 0 undecided, 0 not tested"
    assert f"in 17 tests of 3 claims: {counts}" in page
    assert (
        page.index("cannot decide")
        < page.index(counts)
        < page.index("| verdict")
        < page.index("**Seed**")
    )
    (row,) = (line for line in page.splitlines() if "| MDRNets is better than the best" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "**supported**",
        "MDRNets is better than the best other method at 40–60 %",
        *("8", "0", "0", "0"),
    ]
    assert "over the images of one training" in page


@pytest.mark.parametrize(
    ("verdicts", "text"),
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([SUPPORTED, CONTRADICTED, UNTESTED], MIXED),
        ([SUPPORTED, UNDECIDED, UNTESTED], "supported in 1 of 2"),
        ([UNDECIDED, CONTRADICTED, UNDECIDED], "contradicted in 1 of 3"),
        ([SUPPORTED, UNTESTED], SUPPORTED),
        ([CONTRADICTED, UNTESTED], CONTRADICTED),
        ([UNTESTED], UNTESTED),
    ],
)
def test_the_tests_of_a_claim_come_to_one_verdict(verdicts: list[str], text: str) -> None:
    findings = [Finding("order", "a claim", verdict=verdict) for verdict in verdicts]
    ((claim, tests),) = group_by_claim(findings).items()
    assert (claim, combine_verdicts(tests)) == ("a claim", text)


def test_another_distance_is_never_called_fid(findings_ahead: list[Finding]) -> None:
    page = format_claims(findings_ahead, make_config(), facts=[])
    (row,) = (line for line in page.splitlines() if "FID −4.661" in line)
    assert "FD(effnet-lite0) ↓" in row and "FID −4.661 from ICT: as claimed" in row
    assert all(f.metric != "FID" for f in findings_ahead)


def test_the_table_holds_every_finding(findings_ahead: list[Finding], tmp_path: Path) -> None:
    write_rows(tmp_path / "claims.csv", Finding, findings_ahead)
    with (tmp_path / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(findings_ahead) == 8 + 1 + 8 + 16
    assert list(rows[0]) == [field.name for field in fields(Finding)]
    assert (rows[0]["published"], rows[0]["verdict"], rows[0]["reason"]) == (
        "-0.963",
        SUPPORTED,
        "",
    )
