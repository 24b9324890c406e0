import json
import sqlite3
from pathlib import Path

import pytest

from mdrnets.tracking.record import read
from stages import setup

STAMP = Path("runs/smoke/setup.json")


def _change(path: str, before: str, after: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert before in text
    Path(path).write_text(text.replace(before, after, 1), encoding="utf-8")


def test_it_makes_the_experiment_and_the_stamp(database: Path) -> None:
    assert setup.main(["--profile", "smoke"]) == 0
    with sqlite3.connect(database) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM experiments")}
    assert "mdrnets-smoke" in names
    assert json.loads(STAMP.read_text()) == {"profile": "smoke", "experiment": "mdrnets-smoke"}


def test_the_stamp_never_changes(database: Path) -> None:
    setup.main(["--profile", "smoke"])
    first = STAMP.read_bytes()
    _change("params.yaml", "seed: 2204", "seed: 2205")
    setup.main(["--profile", "smoke"])
    assert STAMP.read_bytes() == first


def test_an_unreachable_server_is_told_and_stops_nothing(
    shipped: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    closed_port: int,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    assert setup.main(["--profile", "smoke"]) == 0
    assert f"tracking: http://127.0.0.1:{closed_port}: Connection refused" in (
        capsys.readouterr().err
    )
    assert STAMP.exists()
    record = read(Path("runs/smoke/records/setup.json"))
    assert record is not None and record.status == "FINISHED" and record.sent is None


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("image_size: 32", "image_sise: 32", "image_sise: "),
        ("  coarse: {steps: 4", "  coarse: {steps: 0", "profiles/smoke.yaml: networks.coarse: "),
        ("  coarse: {steps: 4", "  coarse: {stepz: 4", "stepz: "),
    ],
)
def test_a_bad_value_is_told_before_anything_runs(
    shipped: Path,
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    sentence: str,
) -> None:
    _change("profiles/smoke.yaml", before, after)
    assert setup.main(["--profile", "smoke"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and sentence in said and said.count("\n") == 1
    assert not STAMP.exists()


def test_a_missing_archive_is_told(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MDRNETS_DATA", str(shipped))
    assert setup.main(["--profile", "real64"]) == 1
    said = capsys.readouterr().err
    assert "sources.celebahq_faces.path: " in said and "does not exist" in said


def test_an_unset_variable_is_told(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MDRNETS_DATA", raising=False)
    assert setup.main(["--profile", "real64"]) == 1
    assert "the environment variable MDRNETS_DATA is not set" in capsys.readouterr().err
