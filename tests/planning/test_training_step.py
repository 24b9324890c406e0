from pathlib import Path

import pytest

from benchmarks import training_step
from mdrnets.planning.speed import DEVICES, read_measurements
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


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
        ("NVIDIA Unknown", None),
    ],
)
def test_a_gpu_is_found_by_its_name(name: str, key: str | None) -> None:
    assert training_step.find_device(name, "cuda") == (DEVICES[key] if key else None)
