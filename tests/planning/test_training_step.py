from pathlib import Path

import pytest

from benchmarks import training_step
from mdrnets.planning.speed import read_measurements
from tests.helpers.project import ROOT


def test_the_plan_reads_what_it_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    table = tmp_path / "throughput.csv"
    networks = ["--networks", "coarse", "mdrnets"]
    arguments = ["--profile", "smoke", "--repeats", "1", *networks, "--csv", str(table)]
    monkeypatch.setattr("sys.argv", ["training_step.py", *arguments])
    training_step.main()
    measured = read_measurements(table)
    assert [(m.network, m.phase, m.batch) for m in measured] == [
        ("coarse", "coarse", 4),
        ("mdrnets", "train", 4),
        ("mdrnets", "complete", 8),
    ]
    assert all(m.steps_per_second > 0 and m.image_size == 32 for m in measured)
    output = capsys.readouterr().out
    assert all(header in output for header in training_step.HEADERS)
