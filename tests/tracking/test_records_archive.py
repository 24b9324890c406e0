import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.tracking import records_archive
from mdrnets.tracking.curves import append_point
from mdrnets.tracking.record import MlflowStatus, Record, hashes
from mdrnets.tracking.record_store import RecordStore
from mdrnets.tracking.records_archive import pack

Make = Callable[..., Record]
OUTPUT = Path("model.safetensors")
unpack = partial(records_archive.unpack, is_current=lambda record: True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    OUTPUT.write_bytes(b"weights")


def _train(records: RecordStore, make_record: Make) -> Record:
    """A finished training of the present output, sent to this machine's database."""
    record = records.begin(make_record(), resumes=False)
    append_point(records.curves(record), 10, {"loss": 0.5})
    records.update(record, status="FINISHED", outputs=hashes([OUTPUT]))
    return records.update(
        record, mlflow=MlflowStatus(tracking_uri="sqlite:///a", run_id="1", complete=True)
    )


@pytest.fixture
def there(make_record: Make) -> RecordStore:
    """The records of the machine that the results come from."""
    records = RecordStore(Path("there"))
    _train(records, make_record)
    return records


def test_records_come_back_with_their_curves(there: RecordStore) -> None:
    assert pack(there, Path("records.zip")) == 1
    here = RecordStore(Path("here"))
    assert unpack(Path("records.zip"), here) == 1
    (before,), (after,) = there.latest(), here.latest()
    assert after == before.model_copy(update={"mlflow": None})  # this machine's MLflow lacks them
    assert here.curves(after).read_bytes() == there.curves(before).read_bytes()
    assert unpack(Path("records.zip"), here) == 0


def test_the_same_records_give_the_same_bytes(there: RecordStore) -> None:
    archives = [Path("one.zip"), Path("two.zip")]
    for archive in archives:
        pack(there, archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_unfinished_executions_are_left_out(there: RecordStore, make_record: Make) -> None:
    there.begin(make_record(name="running"), resumes=False)
    failed = there.begin(make_record(name="failed"), resumes=False)
    there.update(failed, status="FAILED")
    assert pack(there, Path("records.zip")) == 1
    with pytest.raises(UserError, match="nothing"):
        pack(RecordStore(Path("nothing")), Path("none.zip"))
    assert not Path("none.zip").exists()


def test_records_of_other_files_are_not_adopted(there: RecordStore) -> None:
    pack(there, Path("records.zip"))
    OUTPUT.write_bytes(b"other weights")
    here = RecordStore(Path("here"))
    assert unpack(Path("records.zip"), here) == 0
    OUTPUT.unlink()
    assert unpack(Path("records.zip"), here) == 0
    assert not list(here.all())


def test_ones_own_record_of_the_same_files_stays(there: RecordStore, make_record: Make) -> None:
    pack(there, Path("records.zip"))
    here = RecordStore(Path("here"))
    own = _train(here, make_record)
    assert unpack(Path("records.zip"), here) == 0
    assert list(here.all()) == [own]


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("theirs", [True, False])
def test_ones_own_record_of_the_same_files_makes_room_for_a_current_one(
    there: RecordStore, make_record: Make, mine: bool, theirs: bool
) -> None:
    pack(there, Path("records.zip"))
    here = RecordStore(Path("here"))
    own = _train(here, make_record)
    count = records_archive.unpack(
        Path("records.zip"),
        here,
        is_current=lambda record: mine if record.execution == own.execution else theirs,
    )
    assert count == (theirs and not mine)
    (latest,) = here.latest()
    assert (latest.execution == own.execution) == (count == 0)


def test_ones_own_record_of_other_files_makes_room(there: RecordStore, make_record: Make) -> None:
    pack(there, Path("records.zip"))
    here = RecordStore(Path("here"))
    own = here.begin(make_record(), resumes=False)
    OUTPUT.write_bytes(b"other weights")
    here.update(own, status="FINISHED", outputs=hashes([OUTPUT]))
    OUTPUT.write_bytes(b"weights")  # as `dvc pull` does
    assert unpack(Path("records.zip"), here) == 1
    assert [r.execution for r in here.latest()] == [r.execution for r in there.latest()]
    assert own.execution in {r.execution for r in here.all()}  # it has yet to be sent


@pytest.mark.parametrize(
    "content", [None, b"no zip", {"a.json": "{}"}], ids=["missing", "not a zip", "not a record"]
)
def test_what_is_no_archive_of_records_is_named(
    content: bytes | dict[str, str] | None,
) -> None:
    archive = Path("records.zip")
    if isinstance(content, bytes):
        archive.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(archive, "w") as packed:
            for name, text in content.items():
                packed.writestr(name, text)
    with pytest.raises(UserError, match=r"records\.zip"):
        unpack(archive, RecordStore(Path("here")))


@pytest.mark.parametrize("field", ["name", "execution", "outputs"])
@pytest.mark.parametrize("path", ["../outside", "../../../evil", "ABSOLUTE/evil"])
@pytest.mark.parametrize("member", ["PATH", "evil", "train-one-pconv"])
def test_no_record_leads_out_of_the_folder(
    there: RecordStore, tmp_path: Path, field: str, path: str, member: str
) -> None:
    path = path.replace("ABSOLUTE", str(tmp_path / "absolute"))
    (record,) = there.latest()
    values = record.model_dump(mode="json")
    values[field] = {path: {"sha256": "0" * 64, "bytes": 1}} if field == "outputs" else path
    with zipfile.ZipFile("records.zip", "w") as packed:
        packed.writestr(f"{member.replace('PATH', path)}.json", json.dumps(values))
    here = RecordStore(tmp_path / "a/b/c/d/here")
    # An earlier record of this name that has to make room, whose execution is part of a path.
    _train(here, lambda: record)
    before = _files(tmp_path)
    with pytest.raises(UserError, match=r"records\.zip"):
        unpack(Path("records.zip"), here)
    assert _files(tmp_path) == before


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("field", ["name", "execution"])
@pytest.mark.parametrize("text", ["../../evil", "/tmp/evil", "a/b", "a\\b", "..", "", "a\n"])
def test_a_record_with_a_path_for_a_name_is_passed_over(
    there: RecordStore, field: str, text: str
) -> None:
    (record,) = there.latest()
    values = record.model_dump(mode="json") | {field: text}
    there.path(record.name).write_text(json.dumps(values), encoding="utf-8")
    assert list(there.all()) == []
