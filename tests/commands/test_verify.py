import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.dag.pipeline import Pipeline
from mdrnets.files import write_text
from mdrnets.tracking.record import FileHash, Record
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.finished_run import (
    LAYOUT,
    REFERENCE,
    VALUES,
    finish,
    finish_table1,
    write_reference_run,
    write_table1,
)
from tests.helpers.project import ROOT


@pytest.fixture
def pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> Pipeline:
    """A finished run, kept."""
    monkeypatch.chdir(tmp_path)
    return write_reference_run(make_record)


def _elsewhere() -> None:
    """As if the trainings had run on another processor."""
    records = RecordStore(LAYOUT.records)
    for record in list(records.latest()):
        machine = record.machine.model_copy(update={"cpu": "another"})
        records.update(record, machine=machine)


def test_numbers_alone_are_kept(pipeline: Pipeline) -> None:
    assert {path.name for path in REFERENCE.iterdir()} == {
        *("run.json", "configuration.json", "executions.csv"),
        *("table1.csv", "table1.md", "table1_extended.csv", "table1_extended.md"),
        *("claims.csv", "claims.md", "curves.csv", "trends.csv"),
    }
    configuration = json.loads((REFERENCE / "configuration.json").read_text(encoding="utf-8"))
    assert configuration["params.yaml:seed"] == pipeline.config.protocol.seed
    with (REFERENCE / "executions.csv").open(encoding="utf-8", newline="") as file:
        executions = list(csv.DictReader(file))
    assert {row["execution"] for row in executions} >= {"train_toy-one", "table1"}
    reference = json.loads((REFERENCE / "run.json").read_text(encoding="utf-8"))
    assert reference["profile"] == "tiny"
    assert reference["command"].endswith("--config profile=tiny -- reproduce_all")
    assert reference["cost"]["jobs"] == len(executions)
    assert reference["cost"]["job_hours"] == round(len(executions) / 3600, 2)
    assert reference["same_setting"]["metrics"]["L1"] == {"absolute": 0.0, "relative": 0.0}
    assert reference["other_setting"]["metrics"]["FD(effnet-lite0)"]["relative"] > 0
    assert reference["same_setting"]["reason"] and reference["other_setting"]["reason"]


def test_the_same_run_is_verified(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("verify", []) == 0
    assert "reports/tiny/verify.md: 6 inside" in capsys.readouterr().out
    with LAYOUT.report("verify.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["table"], row["verdict"], row["difference"]) for row in rows} == {
        (table, "inside", "0.0") for table in ("table1", "table1_extended")
    }


def test_the_last_digit_counts_where_it_must_be_the_same(
    pipeline: Pipeline,
    make_record: Callable[..., Record],
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_table1(VALUES | {("L1", "1-20"): 1.5000001})
    finish_table1(make_record, pipeline)
    assert run_command("verify", []) == 1
    output = capsys.readouterr().out
    assert "outside" in output and "20-40" not in output  # the others are on the page
    assert "5 inside, 1 outside" in output
    assert "outside" in LAYOUT.report("verify.md").read_text(encoding="utf-8")

    _elsewhere()
    assert run_command("verify", []) == 0
    assert "another: another, no GPU" in LAYOUT.report("verify.md").read_text(encoding="utf-8")


def test_other_code_may_differ_in_the_last_digit(
    pipeline: Pipeline, make_record: Callable[..., Record]
) -> None:
    write_table1(VALUES | {("L1", "1-20"): 1.5000001})
    finish_table1(make_record, pipeline)
    assert run_command("verify", []) == 1
    records = RecordStore(LAYOUT.records)
    record = next(r for r in records.latest() if r.name == "train_toy-one")
    path = next(iter(record.code))
    records.update(record, code=record.code | {path: FileHash(sha256="0" * 64, bytes=1)})
    assert run_command("verify", []) == 0
    assert "**Code here**: another" in LAYOUT.report("verify.md").read_text(encoding="utf-8")


def test_an_edited_table_is_named(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    write_table1(VALUES | {("L1", "1-20"): 1.4})
    assert run_command("verify", []) == 1
    assert "reports/tiny/table1.csv" in capsys.readouterr().err
    assert run_command("keep", []) == 1


def test_a_table_that_its_record_does_not_list_is_named(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    records = RecordStore(LAYOUT.records)
    table = str(LAYOUT.report("table1.csv"))
    record = next(r for r in records.latest() if table in r.outputs)
    records.update(record, outputs={p: h for p, h in record.outputs.items() if p != table})
    assert run_command("verify", []) == 1
    assert table in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../mine", ".", "My run", "/elsewhere"])
def test_a_kept_run_has_a_name_and_no_path(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        run_command("keep", [name])
    assert f"argument name: found {name!r}" in capsys.readouterr().err


def test_only_what_the_present_results_gave_is_kept(
    pipeline: Pipeline, make_record: Callable[..., Record], capsys: pytest.CaptureFixture[str]
) -> None:
    path = LAYOUT.report("claims.csv")
    text = path.read_text(encoding="utf-8")
    write_text(path, "edited\n")
    assert run_command("keep", []) == 1
    assert str(path) in capsys.readouterr().err

    write_text(path, text)
    write_text(LAYOUT.scores("one", "toy"), "of a new evaluation\n")
    finish(make_record, pipeline.find("evaluate", ["one", "toy"]))
    assert run_command("verify", []) == 0  # Table 1 reads the summary
    assert run_command("keep", []) == 1
    assert str(path) in capsys.readouterr().err

    write_text(LAYOUT.summary("one", "toy"), "of a new evaluation\n")
    finish(make_record, pipeline.find("evaluate", ["one", "toy"]))
    assert run_command("verify", []) == 1
    assert str(LAYOUT.report("table1.csv")) in capsys.readouterr().err


def test_results_of_two_configurations_are_not_kept(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    records = RecordStore(LAYOUT.records)
    record = next(r for r in records.latest() if r.name == "table1")
    records.update(record, parameters=record.parameters | {"params.yaml:seed": 1})
    assert run_command("keep", []) == 1
    assert "params.yaml:seed: " in capsys.readouterr().err


def test_the_value_that_differs_is_named_in_a_section(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    records = RecordStore(LAYOUT.records)
    record = next(r for r in records.latest() if r.name == "check")
    params = record.parameters["params.yaml:"]
    changed = params | {"bootstrap": params["bootstrap"] | {"resamples": 7}}
    records.update(record, parameters=record.parameters | {"params.yaml:": changed})
    assert run_command("keep", []) == 1
    assert "params.yaml:bootstrap.resamples: " in capsys.readouterr().err


def test_what_the_kept_run_no_longer_makes_goes(pipeline: Pipeline) -> None:
    write_text(REFERENCE / "table9.csv", "of an earlier run\n")
    LAYOUT.report("curves.csv").unlink()
    assert run_command("keep", []) == 0
    assert not (REFERENCE / "table9.csv").exists() and not (REFERENCE / "curves.csv").exists()
    assert json.loads((REFERENCE / "run.json").read_text(encoding="utf-8"))["command"].endswith(
        "-- reports/tiny/table1.csv reports/tiny/table1_extended.csv"
    )


def test_a_table_that_the_profile_no_longer_makes_is_missing(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (REFERENCE, LAYOUT.reports):
        shutil.copy(REFERENCE / "table1.csv", folder / "table9.csv")
    path = REFERENCE / "run.json"
    reference = json.loads(path.read_text(encoding="utf-8"))
    reference["tables"]["table9.csv"] = reference["tables"]["table1.csv"]
    write_text(path, json.dumps(reference))
    assert run_command("verify", []) == 1
    assert "6 inside, 3 missing" in capsys.readouterr().out


def test_an_edited_kept_table_is_named(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    path = REFERENCE / "table1.csv"
    write_text(path, path.read_text(encoding="utf-8").replace("1.5", "1.4"))
    assert run_command("verify", []) == 1
    assert str(path) in capsys.readouterr().err
    path.unlink()
    assert run_command("verify", []) == 1
    assert str(path) in capsys.readouterr().err


def test_a_kept_run_of_another_profile_is_refused(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    path = REFERENCE / "run.json"
    write_text(path, path.read_text(encoding="utf-8").replace('"tiny"', '"real64"'))
    for command in ("verify", "keep"):
        assert run_command(command, []) == 1
        assert "run.json: profile" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"profile": 3}, "run.json: profile"),
        ({"more": 1}, "run.json: more"),
    ],
)
def test_a_broken_description_is_named(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], change: dict, sentence: str
) -> None:
    path = REFERENCE / "run.json"
    write_text(path, json.dumps(json.loads(path.read_text(encoding="utf-8")) | change))
    assert run_command("verify", []) == 1
    assert sentence in capsys.readouterr().err


def test_missing_records_and_kept_runs_are_named(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("verify", ["other"]) == 1
    assert "reports/reference/other/run.json" in capsys.readouterr().err
    RecordStore(LAYOUT.records).path("evaluate-toy-one").unlink()
    assert run_command("verify", []) == 1
    assert "one/toy" in capsys.readouterr().err


def test_kept_runs_of_this_project_hold_no_pictures_and_can_be_read() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "reports/reference"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {Path(name).suffix for name in listed} <= {".csv", ".json", ".md"}
