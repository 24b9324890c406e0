from pathlib import Path

import pytest

from benchmarks.parts import Part, save_parts
from benchmarks.real_faces_page import PAGE, page
from mdrnets.files.tables import read_rows
from tests.helpers.project import ROOT


def test_the_tables_are_those_of_the_reference_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text)


def test_a_new_measurement_replaces_that_of_its_run_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    other = Part("real64-500", "celebahq", "ICT", "the upsampler", 10.5)
    save_parts([other, Part("real64", "celebahq", "ICT", "the upsampler", 9.0)], path)
    again = Part("real64", "celebahq", "ICT", "the upsampler", 8.2)
    save_parts([again], path)
    assert read_rows(path, Part) == [other, again]
