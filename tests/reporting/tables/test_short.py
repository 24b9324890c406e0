from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mdrnets.config.load import Config
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import over_trainings
from mdrnets.files.tables import write_rows
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Cell
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.short import format_short_table1
from tests.helpers.example import BINS, make_config, make_summary

PATH = Path("table1.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _format(cells: Sequence[Cell], config: Config) -> str:
    """The title."""
    write_rows(PATH, Cell, cells)
    return format_short_table1(PATH, config, "set_a", remedy="make it again")[0]


def test_images_are_counted_once_for_all_trainings() -> None:
    config = make_config()
    config = config.model_copy(update={"profile": config.profile.model_copy(update={"seeds": 3})})
    trainings = [make_summary("set_a", "pconv", images=60)] * 3
    table = build_table(
        table1_metrics(config.profile.frechet),
        bins=BINS,
        datasets=config.profile.datasets,
        methods={"pconv": "PConv", "ict": "ICT"},
        run=config.profile.methods,
        summaries={("set_a", "pconv"): over_trainings(trainings)},
        published={},
    )
    title = _format(table.cells, config)
    assert "Rendered faces A, 60 test images" in title

    gone = [replace(cell, method="gone") for cell in table.cells if cell.method == "pconv"]
    assert _format([*table.cells, *gone], config) == title

    for column in ("dataset", "bin", "metric"):
        other = [replace(cell, **{column: "other"}) for cell in table.cells]
        with pytest.raises(UserError, match=r"^table1\.csv: .* make it again$"):
            _format(other, config)
