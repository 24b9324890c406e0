"""A stage's command line: exit codes, record, digest of its code, progress, help."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mdrnets.config.load import Config, load_config
from mdrnets.dag import code
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.execution import run as run_module
from mdrnets.execution.command import EXPECTED_DIGEST, execute, stage_command
from mdrnets.execution.run import StageRun
from mdrnets.files import sha256, write_text
from mdrnets.files.text import read_text
from mdrnets.layout import Layout
from mdrnets.tracking.curves import read_points
from mdrnets.tracking.record import Record, read
from mdrnets.tracking.record_store import RecordStore

ROOT = Path(__file__).parents[2]
MASKS = {"dataset": "rendered_a"}
OUTPUT = Path("runs/smoke/masks/rendered_a.csv")
RECORD = Path("runs/smoke/records/masks-rendered_a.json")


def _record(path: Path = RECORD) -> Record:
    record = read(path)
    assert record is not None
    return record


def _write_output(run: StageRun) -> None:
    write_text(OUTPUT, "image,hole\n")


# -- exit codes ------------------------------------------------------------------------------


def _start(body: str) -> "subprocess.Popen[str]":
    """A stage whose body is these lines, in a process of its own."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    program = f"""
import sys, time
from mdrnets.errors import UserError
from mdrnets.execution.command import execute

def body(run):
{lines}

sys.exit(execute("masks", {MASKS}, "smoke", body))
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=environment
    )


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


def test_what_succeeds_exits_with_0(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute("masks", MASKS, "smoke", _write_output) == 0
    assert capsys.readouterr().err == ""


def test_a_users_error_is_one_sentence_and_exits_with_1(configs: Path) -> None:
    _, message = (process := _start('raise UserError("a.zip: broken; get it again")')).communicate()
    assert process.returncode == 1
    assert message == "error: a.zip: broken; get it again\n"


def test_a_fault_of_the_program_shows_where_and_exits_with_1(configs: Path) -> None:
    _, message = (process := _start("1 / 0")).communicate()
    assert process.returncode == 1
    assert "Traceback" in message and "ZeroDivisionError" in message
    assert (_record().status, _record().error) == ("FAILED", "ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_lets_the_body_save(
    configs: Path, number: signal.Signals, code: int, word: str
) -> None:
    process = _start(
        "try:\n"
        "    open('ready', 'w').close()\n"
        "    time.sleep(60)\n"
        "finally:\n"
        "    open('saving', 'w').close()\n"
        "    time.sleep(0.3)\n"
        "    open('saved', 'w').close()"
    )
    _wait_for(Path("ready"))
    process.send_signal(number)
    if number == signal.SIGTERM:  # the engine may send it twice
        _wait_for(Path("saving"))
        process.send_signal(number)
    _, message = process.communicate()
    assert process.returncode == code
    assert message == f"{word}\n"
    assert Path("saved").exists()
    assert _record().status == "KILLED"


def test_the_caller_gets_its_own_handler_back(configs: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    execute("masks", MASKS, "smoke", _write_output)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_the_profile_does_not_have_is_refused(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute("masks", {"dataset": "nowhere"}, "smoke", _write_output) == 1
    assert "masks nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    "read_file", [Path.read_bytes, lambda path: read_text(path, remedy="run its stage")]
)
def test_a_missing_input_names_what_makes_it(
    configs: Path, capsys: pytest.CaptureFixture[str], read_file: Callable[[Path], object]
) -> None:
    def body(run: StageRun) -> None:
        read_file(run.layout.holes())

    assert execute("masks", MASKS, "smoke", body) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: runs/smoke/packed/holes.npy: ") and "snakemake" in message
    assert message == f"error: {_record().error}\n"


def test_another_missing_file_is_a_fault_of_the_program(configs: Path) -> None:
    def body(run: StageRun) -> None:
        Path("unheard of").read_bytes()

    with pytest.raises(FileNotFoundError):
        execute("masks", MASKS, "smoke", body)
    assert _record().status == "FAILED"


# -- the record ------------------------------------------------------------------------------


def test_the_record_tells_who_made_what_from_what(configs: Path) -> None:
    source = Path("stages/masks.py")
    write_text(source, "x = 1\n")
    for path in ("splits/rendered_a.csv", "splits/holes.csv", "packed/holes.npy"):
        write_text(Path("runs/smoke") / path, path)

    def body(run: StageRun) -> None:
        _write_output(run)
        run.note("holes", 24)
        run.log_metrics(1, {"area": 0.5})

    assert execute("masks", MASKS, "smoke", body) == 0
    record = _record()
    assert record.status == "FINISHED" and record.error is None
    assert record.command == "python -m stages.masks --profile smoke rendered_a"
    assert (record.profile, record.stage, record.wildcards) == ("smoke", "masks", MASKS)
    assert record.inputs["runs/smoke/packed/holes.npy"].bytes == len("packed/holes.npy")
    assert record.code[str(source)].sha256 == sha256(source)
    assert record.outputs[str(OUTPUT)].sha256 == sha256(OUTPUT)
    assert record.parameters["params.yaml:seed"] == 2204
    assert record.measurements == {"holes": 24}
    assert record.engine == "none" and record.threads == 1
    assert record.versions["python"] and record.machine.host == record.process.host
    (point,), _ = read_points(RECORD.with_suffix(".jsonl"))
    assert (point["step"], point["values"]) == (1, {"area": 0.5})


def test_only_a_training_resumes_its_record(configs: Path) -> None:
    def fail(run: StageRun) -> None:
        raise UserError("not today")

    cases: list[tuple[str, Mapping[str, str], int]] = [
        ("masks", MASKS, 1),
        ("train", {"dataset": "rendered_a", "network": "coarse"}, 2),
    ]
    for stage, wildcards, attempts in cases:
        for _ in range(2):
            execute(stage, wildcards, "smoke", fail)
        path = Path("runs/smoke/records") / ("-".join([stage, *wildcards.values()]) + ".json")
        assert _record(path).attempts == attempts


def test_a_record_that_cannot_be_written_costs_no_result(
    configs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **changes: object) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr(RecordStore, "update", full)
    assert execute("masks", MASKS, "smoke", _write_output) == 0
    assert OUTPUT.exists()
    assert "the disk is full" in capsys.readouterr().err


def test_a_report_sends_all_records(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def fake(config: Config) -> None:
        records = RecordStore(Layout(config.name).records)
        sent.extend(record.name for record in records.all() if record.status != "RUNNING")

    monkeypatch.setattr("mdrnets.exchange.logged_models.send_all", fake)
    execute("masks", MASKS, "smoke", _write_output)
    assert sent == []
    execute("render", {"name": "table1"}, "smoke", lambda run: None)
    assert sent == ["masks-rendered_a", "table1"]


def test_records_that_cannot_be_sent_do_not_stop_a_report(
    configs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(config: Config) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", ".sync.lock")

    monkeypatch.setattr("mdrnets.exchange.logged_models.send_all", fail)
    assert execute("render", {"name": "table1"}, "smoke", lambda run: None) == 0
    assert ".sync.lock" in capsys.readouterr().err


# -- the code --------------------------------------------------------------------------------


def test_code_that_was_edited_since_the_engine_planned_the_job_does_not_run(
    configs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def planned_code() -> str:
        job = Pipeline(load_config("smoke")).find("masks", list(MASKS.values()))
        return str(job.digest["code"])

    write_text(Path("stages/masks.py"), "x = 1\n")
    monkeypatch.setenv(EXPECTED_DIGEST, planned_code())
    assert execute("masks", MASKS, "smoke", _write_output) == 0

    code._sha256.cache_clear()
    write_text(Path("stages/masks.py"), "x = 2\n")
    OUTPUT.unlink()
    assert execute("masks", MASKS, "smoke", _write_output) == 1
    assert "stages/masks.py" in capsys.readouterr().err and not OUTPUT.exists()

    monkeypatch.delenv(EXPECTED_DIGEST)
    write_text(Path("reports/published/table1.csv"), "published\n")
    Pipeline(load_config("smoke")).write_digests()
    monkeypatch.setenv("DVC_STAGE", "masks@rendered_a")
    assert execute("masks", MASKS, "smoke", _write_output) == 0
    code._sha256.cache_clear()
    write_text(Path("stages/masks.py"), "x = 3\n")
    assert execute("masks", MASKS, "smoke", _write_output) == 1


# -- progress --------------------------------------------------------------------------------


@pytest.fixture
def run(configs: Path) -> StageRun:
    runs: list[StageRun] = []
    execute("masks", MASKS, "smoke", runs.append)
    return runs[0]


def test_progress_passes_the_items_on(run: StageRun) -> None:
    assert list(run.progress(iter("abc"), total=3, label="letters")) == ["a", "b", "c"]
    assert list(run.progress([], label="nothing")) == []


def test_in_a_log_a_quick_loop_is_one_line(run: StageRun, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    list(run.progress(range(1000), label="images"))
    assert caplog.messages == ["images: 1000 done, 0.0 s"]


def test_in_a_log_a_slow_loop_is_a_line_now_and_then(
    run: StageRun, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(run_module.time, "monotonic", lambda: next(clock))
    list(run.progress(range(8), label="images"))
    assert caplog.messages == [
        "images: 3 of 8 (37 %), 12 s",
        "images: 6 of 8 (75 %), 24 s",
        "images: 8 done, 36.0 s",
    ]


def test_on_a_terminal_it_is_a_bar(run: StageRun, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(run.progress(range(3), label="images")) == [0, 1, 2]
    assert "images: 100%" in terminal.getvalue()


@pytest.mark.parametrize("trouble", [BrokenPipeError(), ValueError("closed file")])
def test_a_reader_that_went_away_stops_nothing(
    configs: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise trouble

    def body(run: StageRun) -> None:
        list(run.progress(range(3), label="images"))
        _write_output(run)

    monkeypatch.setattr(sys, "stderr", Gone())
    assert execute("masks", MASKS, "smoke", body) == 0
    assert OUTPUT.exists()


def test_the_help_explains_stage_and_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    @stage_command("dataset")
    def main(run: StageRun) -> None: ...

    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert (__doc__ or "") in text and "dataset" in text and "--profile" in text


def test_a_further_process_runs_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str | None, str]] = []

    def worker(profile: str | None, dataset: str) -> int:
        calls.append((profile, dataset))
        return 7

    @stage_command("dataset", worker=worker)
    def main(run: StageRun) -> None:
        raise AssertionError("the first process alone runs the body")

    monkeypatch.setenv("LOCAL_RANK", "1")
    assert main(["--profile", "smoke", "rendered_a"]) == 7
    assert calls == [("smoke", "rendered_a")]
