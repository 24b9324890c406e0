from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.files.tables import field_names
from mdrnets.reporting.reference.compare import (
    Comparison,
    Key,
    Value,
    compare,
    comparison_page,
    count_comparisons,
    format_comparisons,
    read_cells,
)
from mdrnets.reporting.reference.run import Tolerance, Tolerances
from mdrnets.reporting.reference.verify import Verification
from mdrnets.reporting.tables.cells import Cell

L1: Key = ("table1", "one", "toy", "L1", "1-20")
PSNR: Key = ("table1", "one", "toy", "PSNR", "1-20")
TOLERANCES = Tolerances(
    reason="",
    metrics={
        "L1": Tolerance(absolute=0.01, relative=0.1),
        "PSNR": Tolerance(absolute=0.5, relative=0),
    },
    factors={"steady": 0.5},
)


def _compare(here: dict[Key, Value], reference: dict[Key, Value]) -> list[Comparison]:
    return compare(here, reference, TOLERANCES, where=Path("run.json"))


@pytest.mark.parametrize(
    ("key", "here", "reference", "tolerance", "verdict"),
    [
        (L1, 2.2, 2.0, 0.2, "outside"),  # 2.2 - 2.0 is a little more than 0.2
        (L1, 2.19, 2.0, 0.2, "inside"),
        (L1, 1.79, 2.0, 0.2, "outside"),
        (L1, 0.02, 0.012, 0.01, "inside"),
        (PSNR, 20.5, 20.0, 0.5, "inside"),
        (PSNR, 20.6, 20.0, 0.5, "outside"),
        (PSNR, -0.25, -0.5, 0.5, "inside"),
    ],
)
def test_a_cell_is_within_the_larger_of_the_two_tolerances(
    key: Key, here: float, reference: float, tolerance: float, verdict: str
) -> None:
    (comparison,) = _compare({key: (here, 60)}, {key: (reference, 60)})
    assert comparison.verdict == verdict
    assert comparison.tolerance == pytest.approx(tolerance)
    assert comparison.difference == here - reference


@pytest.mark.parametrize(("method", "verdict"), [("steady@variant", "outside"), ("toy", "inside")])
def test_a_method_has_its_own_factor(method: str, verdict: str) -> None:
    key = ("table2", "one", method, "L1", "1-20")
    (comparison,) = _compare({key: (2.15, 60)}, {key: (2.0, 60)})
    assert comparison.verdict == verdict


def test_exact_means_exact() -> None:
    exact = Tolerances(reason="", metrics={"L1": Tolerance(absolute=0, relative=0)})
    for here, verdict in ((0.1 + 0.2, "outside"), (0.3, "inside")):
        (comparison,) = compare({L1: (here, 8)}, {L1: (0.3, 8)}, exact, where=Path())
        assert comparison.verdict == verdict


def test_what_is_in_one_of_the_two_alone() -> None:
    missing, new = _compare({PSNR: (20.0, 60)}, {L1: (2.0, 60)})
    assert (missing.verdict, missing.reference, missing.here) == ("missing", 2.0, None)
    assert (new.verdict, new.reference, new.here) == ("new", None, 20.0)
    assert Verification([missing, new], []).failed == [missing]


def test_scores_of_other_images_are_no_scores_of_these() -> None:
    (comparison,) = _compare({L1: (2.0, 59)}, {L1: (2.0, 60)})
    assert comparison.verdict == "not comparable"
    assert Verification([comparison], []).failed


def test_a_metric_without_tolerance_is_named() -> None:
    key: Key = ("table1", "one", "toy", "SSIM", "1-20")
    with pytest.raises(UserError, match=r"run\.json.*SSIM"):
        _compare({key: (0.5, 8)}, {key: (0.5, 8)})


def test_the_page_begins_with_what_is_not_fine() -> None:
    comparisons = _compare({L1: (2.0, 60), PSNR: (30.0, 60)}, {L1: (2.0, 60), PSNR: (20.0, 60)})
    text = comparison_page(comparisons, [("Reference run", "demo")])
    rows = [line.split()[-2] for line in text.splitlines() if line.startswith("| table1")]
    assert rows == ["outside", "inside"]
    assert "- **Reference run**: demo" in text and "1 inside, 1 outside" in text
    assert count_comparisons(comparisons[:1]) == "1 inside"
    (line,) = [
        line for line in format_comparisons(comparisons, "simple").splitlines() if "PSNR" in line
    ]
    assert line.split()[-5:] == ["30", "20", "10", "0.5", "outside"]


def test_blanks_are_left_out_and_a_torn_value_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table1.csv"
    header, blank = ",".join(field_names(Cell)), "one,FFHQ,ict,L1,1-20,,,,,,,0,not run"
    write_text(path, f"{header}\none,FFHQ,toy,L1,1-20,2.5,2,3,60,,,0,\n{blank}\n")
    assert read_cells([path]) == {L1: (2.5, 60)}
    write_text(path, f"{header}\none,FFHQ,toy,L1,1-20,2.5 dB,2,3,60,,,0,\n{blank}\n")
    with pytest.raises(UserError, match=r"table1\.csv: row 2, column value"):
        read_cells([path])
