"""A stage refuses an input that was changed after its job made it."""

import hashlib
import json
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.execution.command import execute
from mdrnets.execution.run import StageRun
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.tracking.inputs import TAKE_CHANGED
from mdrnets.tracking.record import Record, hashes, read
from mdrnets.tracking.record_store import RecordStore

LAYOUT = Layout("smoke")
SUMMARY = LAYOUT.summary("rendered_a", "mdrnets")
GOOD, EDITED = '{"mean": 1.5}', '{"mean": 1.4}'


def _evaluate(text: str = GOOD) -> int:
    """Make a summary and its scores."""
    arguments = {"dataset": "rendered_a", "method": "mdrnets"}
    return execute("evaluate", arguments, "smoke", lambda run: write_text(SUMMARY, text))


def _render(name: str = "table1") -> int:
    def body(run: StageRun) -> None:
        for path in run.job.outputs:
            write_text(path, f"{name}\n")

    return execute("render", {"name": name}, "smoke", body)


def _record(name: str) -> Record:
    record = read(RecordStore(LAYOUT.records).path(name))
    assert record is not None
    return record


@pytest.fixture(autouse=True)
def project(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TAKE_CHANGED, raising=False)
    monkeypatch.setattr("mdrnets.exchange.logged_models.send_all", lambda config: None)
    write_text(Path("reports/published/table1.csv"), "published\n")


def test_an_edited_digit_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert (_evaluate(), _render()) == (0, 0)
    assert capsys.readouterr().err == ""
    write_text(SUMMARY, EDITED)
    LAYOUT.report("table1.csv").unlink()
    assert _render() == 1
    stderr = capsys.readouterr().err
    assert stderr.startswith(f"error: {SUMMARY}: ") and stderr.count("\n") == 1
    (job,) = (j for j in Pipeline(load_config("smoke")).jobs() if SUMMARY in j.outputs)
    assert f"`{job.name}`" in stderr and f"{TAKE_CHANGED}=1" in stderr
    assert f"`rm {SUMMARY} && snakemake --cores all --config profile=smoke -- {SUMMARY}`" in stderr
    assert not LAYOUT.report("table1.csv").exists()
    assert (_record("table1").status, f"error: {_record('table1').error}\n") == ("FAILED", stderr)

    write_text(SUMMARY, GOOD)
    assert _render() == 0


def test_a_changed_table_is_refused_by_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    _render("table1")
    write_text(LAYOUT.report("table1.csv"), "edited\n")
    assert _render("report") == 1
    assert f"error: {LAYOUT.report('table1.csv')}: " in capsys.readouterr().err


def test_a_changed_input_is_taken_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _evaluate()
    write_text(SUMMARY, EDITED)
    monkeypatch.setenv(TAKE_CHANGED, "1")
    assert _render() == 0
    assert str(SUMMARY) in capsys.readouterr().err
    record = _record("table1")
    assert record.taken_inputs == (str(SUMMARY),)
    assert record.inputs == hashes([SUMMARY])


def test_what_its_job_made_again_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    _evaluate()
    _evaluate(EDITED)
    assert _render() == 0
    assert capsys.readouterr().err == "" and _record("table1").taken_inputs == ()


def test_a_maker_that_failed_since_leaves_its_file_valid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(run: StageRun) -> None:
        raise KeyboardInterrupt

    _evaluate()
    for _ in range(2):
        execute("evaluate", {"dataset": "rendered_a", "method": "mdrnets"}, "smoke", fail)
    capsys.readouterr()
    assert _render() == 0
    assert capsys.readouterr().err == ""
    write_text(SUMMARY, EDITED)  # by the execution that was killed, perhaps
    assert _render() == 0
    assert str(SUMMARY) in capsys.readouterr().err


def test_without_a_record_it_is_one_warning(capsys: pytest.CaptureFixture[str]) -> None:
    write_text(SUMMARY, GOOD)
    write_text(LAYOUT.check, "{}")
    assert _render() == 0
    stderr = capsys.readouterr().err
    assert stderr.count("\n") == 1 and str(SUMMARY) in stderr and str(LAYOUT.check) in stderr


def test_what_no_job_makes_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = Pipeline(load_config("smoke"))
    job = next(job for job in pipeline.jobs() if job.stage.name == "download")
    (path,) = job.inputs
    write_text(path, "an archive")
    assert execute("download", job.wildcards, "smoke", lambda run: None) == 0
    assert capsys.readouterr().err == ""


def test_what_dvc_restored_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    _evaluate()
    write_text(SUMMARY, EDITED)
    out = {"path": str(SUMMARY), "hash": "md5", "md5": hashlib.md5(EDITED.encode()).hexdigest()}
    write_text(Path("dvc.lock"), json.dumps({"schema": "2.0", "stages": {"any": {"outs": [out]}}}))
    assert _render() == 0
    write_text(SUMMARY, "another edit")
    assert _render() == 1
    assert f"`dvc checkout --force {SUMMARY}`" in capsys.readouterr().err
    write_text(Path("dvc.lock"), "stages: {")  # torn
    assert _render() == 1


def test_a_training_goes_on_with_its_record_once_the_file_is_back() -> None:
    arguments = {"dataset": "rendered_a", "network": "coarse"}
    split = LAYOUT.split("rendered_a")

    def interrupt(run: StageRun) -> None:
        run.log_metrics(1, {"loss": 1.0})
        raise KeyboardInterrupt

    execute("split", {"name": "rendered_a"}, "smoke", lambda run: write_text(split, "id\n"))
    execute("train", arguments, "smoke", interrupt)
    first = _record("train-rendered_a-coarse")
    write_text(split, "edited\n")
    assert execute("train", arguments, "smoke", lambda run: None) == 1
    write_text(split, "id\n")
    assert execute("train", arguments, "smoke", lambda run: None) == 0
    last = _record("train-rendered_a-coarse")
    assert (last.execution, last.attempts, last.status) == (first.execution, 3, "FINISHED")
