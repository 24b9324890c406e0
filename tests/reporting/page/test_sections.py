from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.stage import Stage
from mdrnets.files.tables import write_table
from mdrnets.reporting.captions import CAPTIONS, Caption
from mdrnets.reporting.page.report import MAX_ROWS, PLAIN, Section, build_sections
from tests.helpers.project import LAYOUT

PICTURE, TABLE = LAYOUT.report("new.png"), LAYOUT.report("new.csv")


@pytest.fixture
def folder(config_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose report is a figure that this page has never heard of."""
    monkeypatch.setitem(CAPTIONS, "new", Caption("New", "It is new."))
    LAYOUT.reports.mkdir(parents=True)
    Image.new("RGB", (4, 3)).save(PICTURE)
    write_table(TABLE, ["class", "pixels"], [["hair", 3]])
    return config_folder


def _sections(outputs: Sequence[Path]) -> list[Section]:
    pipeline = Pipeline(load_config())
    stage = Stage("new", "report", "render", ("new",), (), outputs=tuple(outputs))
    pipeline.stages = {"new": stage}
    return list(build_sections(pipeline))


def test_a_figure_has_its_values_beside_it(folder: Path) -> None:
    (section,) = _sections([PICTURE, LAYOUT.report("new.pdf"), TABLE])
    assert section.figure is not None and section.figure.startswith("data:image/png;base64,")
    assert (section.kind, section.table) == (PLAIN, (["class", "pixels"], [["hair", "3"]]))
    assert section.caption == CAPTIONS["new"]
    assert [path.name for path in section.files] == ["new.png", "new.pdf", "new.csv"]


def test_a_table_of_other_columns_is_shown_as_it_is(folder: Path) -> None:
    (section,) = _sections([TABLE])
    assert (section.figure, section.kind) == (None, PLAIN)


def test_a_very_long_table_is_left_to_its_file(folder: Path) -> None:
    write_table(TABLE, ["step", "loss"], [[step, 0.5] for step in range(MAX_ROWS + 1)])
    (section,) = _sections([PICTURE, TABLE])
    assert section.figure and section.kind is None


def test_what_programs_read_is_no_section(folder: Path) -> None:
    assert _sections([LAYOUT.report("metrics/one/toy.json")]) == []
