from pathlib import Path

from mdrnets.files.tables import write_rows
from mdrnets.reporting.claims.finding import (
    AS_CLAIMED,
    BEST,
    CLASS,
    COLUMN,
    CONTRADICTED,
    FIRST,
    SUPPORTED,
    UNDECIDED,
    Finding,
)
from mdrnets.reporting.page.verdict import read_claims, summarise_verdict
from mdrnets.reporting.tables.trends import write_trends
from mdrnets.training.history import HistoryRow
from tests.helpers.example import make_config

FINDINGS = [
    Finding(
        BEST, "better", "set_a", "CelebA-HQ", "L1", "40-60", SUPPORTED, here=-0.5, low=-1, high=0
    ),
    Finding(
        FIRST,
        "first in 23 of 24 columns",
        verdict=CONTRADICTED,
        here=3,
        published=23,
        published_verdict=AS_CLAIMED,
    ),
    Finding(
        BEST,
        "better",
        "set_b",
        "FFHQ",
        "PSNR",
        "40-60",
        UNDECIDED,
        reason="too close",
    ),
    Finding(BEST, "better", "set_b", "FFHQ", "SSIM", "40-60"),
    Finding(COLUMN, "better at small holes", "set_a", "CelebA-HQ", "L1", "1-20", SUPPORTED),
]


def _write(folder: Path) -> Path:
    path = folder / "claims.csv"
    write_rows(path, Finding, FINDINGS)
    return path


def test_it_counts_the_claims_alone_and_names_the_data(tmp_path: Path) -> None:
    _write(tmp_path)
    sentences = summarise_verdict(tmp_path, make_config(), {"set_a": 60})
    assert sentences[1] == (
        "What this run sees, in 4 tests of 2 claims of the paper: 1 supported, 1 contradicted, "
        "1 undecided, 1 not tested. Profile tiny: Rendered faces A with 60 test "
        "images, beside the paper's CelebA-HQ; Rendered faces B, beside the paper's FFHQ."
    )
    assert "once, with seed 2204, on images of 64×64 pixels" in sentences[2]


def test_it_says_what_rendered_faces_and_other_features_are_not(tmp_path: Path) -> None:
    _write(tmp_path)
    config = make_config()
    text = " ".join(summarise_verdict(tmp_path, config, {}))
    assert "they say little about photographs" in text
    assert "FD(effnet-lite0) is not FID" in text

    photographs = {
        name: dataset.model_copy(update={"title": "FFHQ (850 images)"})
        for name, dataset in config.profile.datasets.items()
    }
    changes = {"datasets": photographs, "frechet": "inception-v3"}
    profile = config.profile.model_copy(update=changes)
    sentences = summarise_verdict(tmp_path, config.model_copy(update={"profile": profile}), {})
    assert len(sentences) == 3


def test_several_trainings_are_counted(tmp_path: Path) -> None:
    config = make_config()
    profile = config.profile.model_copy(update={"seeds": 3})
    several = config.model_copy(update={"profile": profile})
    _write(tmp_path)
    sentences = summarise_verdict(tmp_path, several, {})
    assert "trained 3 times, with seeds 2204 to 2206, on images" in sentences[2]


def test_losses_that_were_still_falling_are_counted(tmp_path: Path) -> None:
    _write(tmp_path)
    histories = {
        "pconv": {"set_a": [HistoryRow("all", n, {"hole": 1 / n}) for n in range(1, 21)]},
        "pic": {"set_a": [HistoryRow("all", n, {"hole": 1.0 * n}) for n in range(1, 21)]},
    }
    write_trends(tmp_path / "trends.csv", histories, titles={"pconv": "PConv", "pic": "PIC"})
    sentences = summarise_verdict(tmp_path, make_config(), {})
    assert any(sentence.startswith("1 of the 2 main losses") for sentence in sentences)


def test_tests_stand_below_their_claim(tmp_path: Path) -> None:
    shown = read_claims(_write(tmp_path), make_config())
    better, first = shown.claims
    assert (better.claim, better.verdict) == ("Better", "supported in 1 of 2")
    assert (first.claim, first.verdict) == ("First in 23 of 24 columns", CONTRADICTED)
    assert [(claim.claim, claim.verdict) for claim in shown.columns] == [
        ("better at small holes", "")
    ]
    best, *others = better.findings
    assert (best.mark, best.verdict, best.here) == ("✓", SUPPORTED, "−0.500 [−1.000, +0.000]")
    assert [finding.mark for finding in others] == ["?", "○"]
    assert others[0].reason == "too close"
    assert (first.findings[0].here, first.findings[0].paper) == ("3", "23: as claimed")


def test_a_class_and_the_range_of_trainings_are_shown(tmp_path: Path) -> None:
    finding = Finding(
        CLASS,
        "better in eyes",
        "set_a",
        metric="L1",
        here=-0.5,
        low=-1,
        high=0,
        n=40,
        test="signed rank",
        adjusted_p=0.0421,
        method="mdrnets",
        other="pconv",
        label="eye",
        trainings=3,
        shown_by=2,
        least=-0.75,
        most=-0.25,
    )
    write_rows(tmp_path / "claims.csv", Finding, [finding])
    ((row,),) = [
        claim.findings for claim in read_claims(tmp_path / "claims.csv", make_config()).claims
    ]
    assert (row.metric, row.difference) == ("eye: L1 % ↓", "MDRNets − PConv")
    assert row.here == (
        "−0.500 [−1.000, +0.000]; in each training −0.750 to −0.250, shown by 2 of 3"
    )
    assert row.test == "signed rank, n = 40, p = 0.042"
