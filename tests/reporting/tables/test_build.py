import csv
from pathlib import Path

import pytest

from mdrnets.config.load import Config
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import Estimate
from mdrnets.files.tables import write_rows
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import (
    Cell,
    Table,
    mark_best,
)
from mdrnets.reporting.tables.metrics import extended_metrics, table1_metrics
from mdrnets.reporting.tables.published import Published, load_published
from mdrnets.reporting.tables.summaries import Summaries, check_summaries
from tests.helpers.example import BINS, make_config, make_summary

PUBLISHED: Published = {
    ("CelebA-HQ", "pconv", "L1", "1-20"): 1.131,
    ("CelebA-HQ", "ict", "L1", "1-20"): 0.949,
    ("CelebA-HQ", "pconv", "FID", "1-20"): 12.716,
    ("FFHQ", "mdrnets", "SSIM", "40-60"): 0.797,
}


@pytest.fixture
def config() -> Config:
    return make_config()


@pytest.fixture
def summaries() -> dict:
    """PConv has the lower L1 and SSIM, MDRNets the higher PSNR, the same FD."""
    return {
        ("set_a", "pconv"): make_summary(
            "set_a", "pconv", values={"l1": 1.0, "psnr": 20, "ssim": 0.5}
        ),
        ("set_a", "mdrnets"): make_summary(
            "set_a", "mdrnets", values={"l1": 1.2, "psnr": 21, "ssim": 0.6}
        ),
        ("set_b", "pconv"): make_summary("set_b", "pconv"),
    }


def _table(config: Config, summaries: Summaries, *, extended: bool = False) -> Table:
    features = config.profile.frechet
    return build_table(
        extended_metrics(features) if extended else table1_metrics(features),
        bins=BINS,
        datasets=config.profile.datasets,
        methods={name: entry.title for name, entry in config.protocol.methods.items()},
        run=config.profile.methods,
        summaries=summaries,
        published=PUBLISHED,
    )


def _cell(table: Table, dataset: str, method: str, metric: str, bin_: str = "1-20") -> Cell:
    (cell,) = (
        cell
        for cell in table.cells
        if (cell.dataset, cell.method, cell.metric, cell.bin) == (dataset, method, metric, bin_)
    )
    return cell


def test_there_is_a_cell_for_everything(config: Config, summaries: Summaries) -> None:
    table = _table(config, summaries)
    assert len(table.cells) == 2 * 3 * 4 * 3
    assert all((cell.value is None) == (cell.reason is not None) for cell in table.cells)
    assert [cell.bin for cell in table.row("set_a", "ict")] == list(BINS) * 4
    assert len(_table(config, summaries, extended=True).cells) == 2 * 3 * 6 * 3


def test_ours_has_its_interval_and_the_published_value_beside_it(
    config: Config, summaries: Summaries
) -> None:
    cell = _cell(_table(config, summaries), "set_a", "pconv", "L1")
    assert (cell.value, cell.low, cell.high, cell.n) == (1.0, 0.9, 1.3, 60)
    assert (cell.published_as, cell.published_metric, cell.published) == ("CelebA-HQ", "L1", 1.131)
    assert (cell.format_value(3), cell.format_published()) == ("1.000 ± 0.200", "1.131")
    later = _cell(_table(config, summaries), "set_a", "pconv", "L1", "40-60")
    assert (later.value, later.published, later.format_published()) == (3.0, None, "—")


def test_a_method_outside_the_profile_is_a_named_blank(
    config: Config, summaries: Summaries
) -> None:
    table = _table(config, summaries)
    cell = _cell(table, "set_a", "ict", "L1")
    assert (cell.value, cell.reason) == (None, "not run in this profile")
    assert (cell.published, cell.format_value(3)) == (0.949, "—")
    assert "here: not run in this profile" in {label for _, label, _ in table.lines("set_a")}


def test_missing_scores_are_a_named_blank(config: Config, summaries: Summaries) -> None:
    cell = _cell(_table(config, summaries), "set_b", "mdrnets", "SSIM", "40-60")
    assert (cell.value, cell.reason, cell.published) == (None, "not run", 0.797)


def test_a_psnr_infinite_for_every_image_is_a_named_blank(config: Config, summaries: dict) -> None:
    summary = summaries["set_a", "pconv"]
    summary.bins["1-20"].means["psnr"] = Estimate(value=None, low=None, high=None, n=0, infinite=60)
    table = _table(config, summaries)
    cell = _cell(table, "set_a", "pconv", "PSNR")
    assert (cell.value, cell.reason, cell.n) == (None, "infinite for every image", 0)
    assert "here: infinite for every image" in {label for _, label, _ in table.lines("set_a")}
    assert not _cell(table, "set_a", "mdrnets", "PSNR").best


def test_the_best_of_ours_is_marked_in_each_column(config: Config, summaries: Summaries) -> None:
    table = _table(config, summaries)
    for bin_ in BINS:
        best = {
            (metric, method): _cell(table, "set_a", method, metric, bin_).best
            for metric in ("L1", "PSNR", "SSIM")
            for method in ("pconv", "mdrnets", "ict")
        }
        assert [key for key, value in best.items() if value] == [
            ("L1", "pconv"),
            ("PSNR", "mdrnets"),
            ("SSIM", "mdrnets"),
        ]


def test_values_printed_alike_are_all_best(config: Config, summaries: dict) -> None:
    table = _table(config, summaries)
    assert _cell(table, "set_a", "pconv", "FD(effnet-lite0)").best
    assert _cell(table, "set_a", "mdrnets", "FD(effnet-lite0)").best
    for difference, tie in ((0.0004, True), (0.0006, False)):
        values = {"l1": 1.2 - difference}
        summaries["set_a", "pconv"] = make_summary("set_a", "pconv", values=values)
        table = _table(config, summaries)
        assert _cell(table, "set_a", "pconv", "L1").best
        assert _cell(table, "set_a", "mdrnets", "L1").best is tie


def test_a_single_method_is_not_the_best_of_anything(config: Config, summaries: Summaries) -> None:
    table = _table(config, summaries)
    assert not any(cell.best for cell in table.cells if cell.dataset == "set_b")
    assert table.count_first_places("set_b") == "fewer than two methods to compare"
    assert _table(config, summaries, extended=True).format_first_places("set_b") == (
        "First here: fewer than two methods to compare."
    )


def test_first_places_are_counted_with_ties(config: Config, summaries: Summaries) -> None:
    # MDRNets: FD (tied), PSNR, SSIM; PConv: L1, FD (tied); three bins each.
    expected = "MDRNets in 9 of 12 columns, PConv in 6"
    table = _table(config, summaries)
    assert table.count_first_places("set_a") == expected
    assert table.format_first_places("set_a") == (
        f"First here: {expected}. In the paper: ICT in 1 of 12 columns."
    )


def test_the_papers_first_places_are_those_it_claims(config: Config) -> None:
    published = load_published()
    methods = {method: method for _, method, _, _ in published}
    table = build_table(
        table1_metrics("inception-v3"),
        bins=BINS,
        datasets=config.profile.datasets,
        methods=methods,
        run=(),
        summaries={},
        published=published,
    )
    assert table.count_first_places("set_a", published=True) == "mdrnets in 12 of 12 columns"
    assert (
        table.count_first_places("set_b", published=True)
        == "mdrnets in 11 of 12 columns, ctsdg in 1"
    )


def test_marking_again_changes_nothing(config: Config, summaries: Summaries) -> None:
    table = _table(config, summaries)
    assert mark_best(table) == table


def test_only_inceptions_features_make_a_column_of_fid(config: Config) -> None:
    names = [metric.name for metric in table1_metrics("effnet-lite0")]
    assert names == ["L1", "FD(effnet-lite0)", "PSNR", "SSIM"]
    assert [metric.name for metric in table1_metrics("inception-v3")][1] == "FID"
    assert [metric.name for metric in extended_metrics("effnet-lite0")][-1] == "KD(effnet-lite0)"
    assert [metric.name for metric in extended_metrics("inception-v3")][-1] == "KID"


def test_the_papers_fid_is_called_fid_beside_another_distance(
    config: Config, summaries: Summaries
) -> None:
    cell = _cell(_table(config, summaries), "set_a", "pconv", "FD(effnet-lite0)")
    assert (cell.published_metric, cell.format_published()) == ("FID", "FID 12.716")


def test_the_extended_table_has_no_published_values(config: Config, summaries: Summaries) -> None:
    cells = _table(config, summaries, extended=True).cells
    assert all(cell.published is None and cell.published_metric is None for cell in cells)
    assert {cell.metric for cell in cells} >= {"hole L1", "hole PSNR", "raw SSIM"}


def test_the_long_form_holds_everything(
    config: Config, summaries: Summaries, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        write_rows(tmp_path / name, Cell, _table(config, summaries).cells)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 72
    first = rows[0]
    assert first == {
        "dataset": "set_a",
        "published_as": "CelebA-HQ",
        "method": "pconv",
        "metric": "L1",
        "bin": "1-20",
        "value": "1.0",
        "low": "0.9",
        "high": "1.3",
        "n": "60",
        "published_metric": "L1",
        "published": "1.131",
        "best": "1",
        "reason": "",
    }
    (blank,) = (
        row
        for row in rows
        if (row["dataset"], row["method"], row["metric"], row["bin"])
        == ("set_a", "ict", "SSIM", "1-20")
    )
    assert (blank["value"], blank["low"], blank["n"]) == ("", "", "")
    assert (blank["best"], blank["reason"]) == ("0", "not run in this profile")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_values_computed_in_other_ways_are_not_set_beside_each_other(
    config: Config, summaries: dict
) -> None:
    def check(ssim: str = "gaussian11_rgb", bins: tuple[str, ...] = BINS) -> None:
        check_summaries(summaries, bins=bins, features="effnet-lite0", ssim=ssim)

    check()
    with pytest.raises(UserError, match="SSIM: expected uniform7_rgb"):
        check(ssim="uniform7_rgb")
    with pytest.raises(UserError, match=r"bins: expected \['1-20'\]"):
        check(bins=("1-20",))
    summaries["set_a", "mdrnets"] = make_summary("set_a", "mdrnets", images=59)
    with pytest.raises(UserError, match="mdrnets on set_a: images: expected 60, found 59"):
        check()
    summaries["set_a", "mdrnets"] = make_summary("set_a", "mdrnets", frechet_name="FID")
    with pytest.raises(UserError, match=r"distance: expected \['FD\(effnet-lite0\)'\]"):
        check()
