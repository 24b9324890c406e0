from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.tracking.record import Record, hashes
from mdrnets.tracking.record_store import RecordStore
from tests.helpers import finished_run

LAYOUT = Layout("smoke")


def test_what_was_packed_is_unpacked(
    configs: Path, make_record: Callable[..., Record], capsys: pytest.CaptureFixture[str]
) -> None:
    records = RecordStore(LAYOUT.records)
    write_text(LAYOUT.check, "{}\n")
    record = records.begin(make_record(), resumes=False)
    records.update(record, status="FINISHED", outputs=hashes([LAYOUT.check]))
    assert run_command("records", ["--profile", "smoke", "pack"]) == 0
    records.path(record.name).unlink()
    assert run_command("records", ["--profile", "smoke", "unpack"]) == 0
    assert [result.execution for result in records.latest()] == [record.execution]
    assert capsys.readouterr().out.splitlines() == [
        "records/smoke.zip: 1 records",
        "runs/smoke/records: 1 records restored",
    ]


@pytest.mark.parametrize(
    ("action", "start"),
    [
        ("pack", "error: runs/smoke/records: "),
        ("unpack", "error: records/smoke.zip: "),
    ],
)
def test_without_records_it_says_so(
    configs: Path, capsys: pytest.CaptureFixture[str], action: str, start: str
) -> None:
    assert run_command("records", ["--profile", "smoke", action]) == 1
    assert capsys.readouterr().err.startswith(start)


def test_a_missing_result_counts_only_where_all_are_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_record: Callable[..., Record],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = finished_run.write_finished_run(make_record)
    assert run_command("records", ["check", "--complete"]) == 0
    capsys.readouterr()
    pipeline.layout.report("claims.md").unlink()
    assert run_command("records", ["check"]) == 0
    assert run_command("records", ["check", "--complete"]) == 1
    assert "reproduce_all" in capsys.readouterr().err


def test_only_check_asks_for_all_results(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command("records", ["pack", "--complete"])
    assert "argument --complete: not for `pack`; leave it out" in capsys.readouterr().err
