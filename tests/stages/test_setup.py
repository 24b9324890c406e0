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
