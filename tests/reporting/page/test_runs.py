from collections.abc import Callable
from pathlib import Path

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.files import write_text
from mdrnets.reporting.page.runs import NO_RECORD, Run, read_runs, upstream_runs
from mdrnets.tracking.record import FileHash, MlflowStatus, Record
from tests.helpers.project import LAYOUT

SUMMARY, COMPLETIONS = LAYOUT.summary("one", "toy"), LAYOUT.completions("one", "toy")


def _hashes(path: Path, digit: str) -> dict[str, FileHash]:
    return {path.as_posix(): FileHash(sha256=64 * digit, bytes=1)}


def _save(record: Record) -> None:
    write_text(LAYOUT.records / f"{record.name}.json", record.model_dump_json())


def _completion(make_record: Callable[..., Record], **changes: object) -> Record:
    usual = {
        "name": "complete-one-toy",
        "command": "python -m stages.complete --profile tiny one toy",
        "status": "FINISHED",
        "outputs": _hashes(COMPLETIONS, "a"),
    }
    return make_record(**(usual | changes))


def _evaluation(make_record: Callable[..., Record], **changes: object) -> Record:
    usual = {
        "name": "evaluate-one-toy",
        "command": "python -m stages.evaluate --profile tiny one toy",
        "status": "FINISHED",
        "inputs": _hashes(COMPLETIONS, "a"),
    }
    return make_record(**(usual | changes))


def _find_run(name: str) -> Run:
    return next(run for run in read_runs(Pipeline(load_config())) if run.name == name)


def test_what_stands_behind_a_file_begins_with_its_maker(config_folder: Path) -> None:
    names = [run.name for run in upstream_runs(read_runs(Pipeline(load_config())), SUMMARY)]
    order = ["evaluate toy one", "complete_toy one", "train_toy one", "train_base one"]
    assert [name for name in names if name in order] == order
    assert names[0] == "evaluate toy one"
    assert {"split_one", "pack_holes", "masks one", "download_external noise"} <= set(names)
    assert not any("two" in name or name == "setup" for name in names)


def test_a_run_without_a_record_says_so(config_folder: Path) -> None:
    run = _find_run("evaluate toy one")
    assert (run.record, run.mlflow, run.doubts) == (None, None, (NO_RECORD,))


def test_a_record_leads_to_mlflow(config_folder: Path, make_record: Callable[..., Record]) -> None:
    status = MlflowStatus(tracking_uri="sqlite:///mlflow.db", run_id="abc", complete=True)
    _save(_completion(make_record, mlflow=status))
    _save(_evaluation(make_record))
    assert (_find_run("complete_toy one").mlflow, _find_run("complete_toy one").doubts) == (
        "abc",
        (),
    )
    assert (_find_run("evaluate toy one").mlflow, _find_run("evaluate toy one").doubts) == (
        None,
        (),
    )


def test_another_file_than_was_read_is_doubted(
    config_folder: Path, make_record: Callable[..., Record]
) -> None:
    _save(_completion(make_record))
    _save(_evaluation(make_record, inputs=_hashes(COMPLETIONS, "b")))
    (doubt,) = _find_run("complete_toy one").doubts
    assert "evaluate-one-toy" in doubt and str(COMPLETIONS) in doubt


def test_changed_inputs_that_were_used_are_doubted(
    config_folder: Path, make_record: Callable[..., Record]
) -> None:
    _save(_evaluation(make_record, taken_inputs=(str(COMPLETIONS),)))
    run = _find_run("evaluate toy one")
    (doubt,) = run.doubts
    assert run.taken == (str(COMPLETIONS),) and str(COMPLETIONS) in doubt


def test_an_unfinished_execution_is_doubted_and_doubts_none(
    config_folder: Path, make_record: Callable[..., Record]
) -> None:
    _save(_completion(make_record))
    _save(_evaluation(make_record, status="FAILED", inputs=_hashes(COMPLETIONS, "b")))
    assert _find_run("complete_toy one").doubts == ()
    (doubt,) = _find_run("evaluate toy one").doubts
    assert "FAILED" in doubt


def test_a_stage_that_is_gone_doubts_none(
    config_folder: Path, make_record: Callable[..., Record]
) -> None:
    _save(_completion(make_record))
    command = "python -m stages.evaluate --profile tiny one old"
    inputs = _hashes(COMPLETIONS, "b")
    _save(_evaluation(make_record, name="evaluate-one-old", command=command, inputs=inputs))
    assert _find_run("complete_toy one").doubts == ()
