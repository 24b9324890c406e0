import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rocrate.rocrate import ROCrate

from mdrnets.commands.command_line import run_command
from mdrnets.dag.pipeline import Pipeline
from mdrnets.exchange.unchanged import require_unchanged
from mdrnets.files import sha256, write_text
from mdrnets.tracking.executions import executions
from mdrnets.tracking.record import Record
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.crate_validation import issues
from tests.helpers.finished_run import LAYOUT, VERSIONS, finish, write_finished_run, write_lock

CRATE = LAYOUT.report("crate.zip")
ARGUMENTS = ["--agent", "A Person", "--agent-url", "https://orcid.org/0000-0002-1825-0097"]


# What the profiles ask for, by type.
REQUIRED = {
    "Dataset": ("name", "description", "datePublished", "license", "conformsTo", "mainEntity"),
    "ComputationalWorkflow": ("programmingLanguage", "hasPart", "step", "input", "output"),
    "CreateAction": ("instrument", "agent", "result", "startTime", "endTime"),
    "OrganizeAction": ("instrument", "agent", "object", "result"),
    "ControlAction": ("instrument", "object"),
    "HowToStep": ("workExample", "position"),
    "FormalParameter": ("additionalType", "workExample"),
    "PropertyValue": ("name", "value"),
    "SoftwareApplication": ("name", "softwareVersion", "url"),
    "File": ("encodingFormat",),
}


@pytest.fixture
def pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> Pipeline:
    monkeypatch.chdir(tmp_path)
    return write_finished_run(make_record)


def _ids(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else [values]:
        yield value.id


def test_it_is_a_valid_provenance_run_crate(pipeline: Pipeline) -> None:
    assert run_command("crate", ARGUMENTS) == 0
    assert issues(CRATE, "provenance-run-crate") == []


def test_every_entity_has_what_its_type_requires(pipeline: Pipeline) -> None:
    assert run_command("crate", ARGUMENTS) == 0
    with zipfile.ZipFile(CRATE) as crate:
        graph = json.loads(crate.read("ro-crate-metadata.json"))["@graph"]
        names = set(crate.namelist())
    entities = {entity["@id"]: entity for entity in graph}
    visited = set()
    for entity in graph:
        types = entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]
        visited.update(types)
        for name in [name for type_ in types for name in REQUIRED.get(type_, ())]:
            assert entity.get(name) not in (None, "", []), (entity["@id"], name)
        for key, value in entity.items():
            for other in value if isinstance(value, list) else [value]:
                if isinstance(other, dict) and key not in ("conformsTo", "identifier", "url"):
                    assert other["@id"] in entities, (entity["@id"], key)
        if "File" in types:
            assert entity["@id"] in names or entity["@id"].startswith("ni:///sha-256;")
    assert REQUIRED.keys() <= visited


def test_what_is_no_such_crate_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    assert run_command("crate", ARGUMENTS) == 0
    with zipfile.ZipFile(CRATE) as whole:
        whole.extractall(tmp_path / "crate")
    path = tmp_path / "crate/ro-crate-metadata.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    for entity in metadata["@graph"]:
        if entity["@type"] == "CreateAction":
            del entity["instrument"]
    path.write_text(json.dumps(metadata), encoding="utf-8")
    assert any("instrument" in issue for issue in issues(tmp_path / "crate", "process-run-crate"))


def test_each_execution_is_an_action_with_everything_that_its_record_tells(
    pipeline: Pipeline,
) -> None:
    assert run_command("crate", ARGUMENTS) == 0
    crate = ROCrate(CRATE)
    records = {record.name: record for record in RecordStore(LAYOUT.records).latest()}
    record = records["train_toy-one"]
    action = crate.get(f"#{record.execution}")
    assert action.type == "CreateAction"
    assert action["agent"]["name"] == "A Person"
    assert action["instrument"].id == "stages/train.py"
    assert action["startTime"] == record.started.isoformat(timespec="milliseconds")
    assert action["endTime"] > action["startTime"]
    versions = {
        e["name"]: e["softwareVersion"] for e in action["instrument"]["softwareRequirements"]
    }
    assert versions == VERSIONS

    inputs = {entity.get("sha256"): entity for entity in action["object"]}
    assert {known.sha256 for known in record.inputs.values()} <= inputs.keys()
    seed = next(e for e in action["object"] if e.get("name") == "network:seed")
    assert seed["value"] == record.parameters["network:seed"]
    outputs = {e["name"]: e["sha256"] for e in action["result"]}
    assert outputs == {name: known.sha256 for name, known in record.outputs.items()}
    # What one made, the next one took: the same entity.
    completion = crate.get(f"#{records['complete_toy-one'].execution}")
    weights = next(e.id for e in action["result"] if e["name"].endswith(".safetensors"))
    assert weights in set(_ids(completion["object"]))

    actions = {e.id for e in crate.root_dataset["mentions"] if e.type == "CreateAction"}
    assert actions == {"#run", *(f"#{record.execution}" for record in records.values())}


def test_the_run_goes_from_raw_input_to_the_report(pipeline: Pipeline) -> None:
    assert run_command("crate", ARGUMENTS) == 0
    crate = ROCrate(CRATE)
    run = crate.get("#run")
    assert run["instrument"].id == crate.mainEntity.id == "Snakefile"
    assert not any(name.startswith("runs/") for name in _ids(run["object"]))
    assert "reports/tiny/table1.csv" in set(_ids(run["result"]))
    (organised,) = [e for e in crate.root_dataset["mentions"] if e.type == "OrganizeAction"]
    assert organised["instrument"]["name"] == "snakemake"
    assert len(organised["object"]) == len(list(RecordStore(LAYOUT.records).latest()))


@pytest.mark.parametrize("flags", [[], ["--with-data"]])
def test_images_and_weights_are_copied_on_demand_alone(
    pipeline: Pipeline, flags: list[str]
) -> None:
    assert run_command("crate", [*ARGUMENTS, *flags]) == 0
    with zipfile.ZipFile(CRATE) as crate:
        names = set(crate.namelist())
        table = crate.read("reports/tiny/table1.csv")
    assert {"runs/tiny/splits/one.csv", "runs/tiny/records/table1.json"} <= names
    assert table == LAYOUT.report("table1.csv").read_bytes()
    suffixes = {Path(name).suffix for name in names}
    binary = {".npy", ".safetensors", ".png", ".pdf", ".zip"}
    assert suffixes & binary == (binary if flags else set())


def test_the_profile_that_the_profile_extends_is_in_it(pipeline: Pipeline) -> None:
    Path("profiles/tiny.yaml").rename("profiles/base.yaml")
    write_text(Path("profiles/tiny.yaml"), "extends: base\n")
    assert run_command("crate", ARGUMENTS) == 0
    with zipfile.ZipFile(CRATE) as crate:
        assert {"profiles/tiny.yaml", "profiles/base.yaml"} <= set(crate.namelist())


def test_it_is_the_same_but_for_times(pipeline: Pipeline) -> None:
    contents = []
    for _ in range(2):
        assert run_command("crate", ARGUMENTS) == 0
        with zipfile.ZipFile(CRATE) as crate:
            contents.append({name: crate.read(name) for name in crate.namelist()})
    assert contents[0] == contents[1]


def test_a_missing_record_is_named(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    RecordStore(LAYOUT.records).path("train_toy-two").unlink()
    assert run_command("crate", ARGUMENTS) == 1
    assert "runs/tiny/models/two/toy.safetensors: " in capsys.readouterr().err
    assert not CRATE.exists()


@pytest.mark.parametrize(
    ("name", "remedies"),
    [
        (
            "runs/tiny/splits/one.csv",
            ("`split_one`", "`rm runs/tiny/splits/one.csv && snakemake "),
        ),
        ("stages/train.py", ("reproduce_all`",)),
    ],
)
def test_a_file_that_was_changed_since_is_named(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], name: str, remedies: tuple[str, ...]
) -> None:
    before = sha256(Path(name))
    write_text(Path(name), Path(name).read_text(encoding="utf-8") + "\n")
    assert sha256(Path(name)) != before
    assert run_command("crate", ARGUMENTS) == 1
    stderr = capsys.readouterr().err
    assert f"error: {name}: " in stderr and all(remedy in stderr for remedy in remedies)


def test_what_dvc_restored_needs_its_own_record(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    job = pipeline.find("split", ["one"])
    write_text(LAYOUT.split("one"), "of another execution\n")
    write_lock(pipeline, job, digest=job.digest)
    assert run_command("crate", ARGUMENTS) == 1
    said = capsys.readouterr().err
    assert f"error: {LAYOUT.split('one')}: " in said and "`make restore`" in said


def test_a_changed_input_that_was_taken_is_not_what_its_job_made(
    pipeline: Pipeline, make_record: Callable[..., Record]
) -> None:
    path = LAYOUT.summary("one", "toy")
    made = sha256(path)
    write_text(path, "edited\n")
    readers = [job for job in pipeline.jobs() if path in job.inputs]
    records = RecordStore(LAYOUT.records)
    for job in readers:
        records.update(finish(make_record, job), taken_inputs=(str(path),))
    assert run_command("crate", ARGUMENTS) == 0
    crate = ROCrate(CRATE)
    known = {record.command: record.execution for record in records.latest()}
    for job in readers:
        action = crate.get(f"#{known[job.command]}")
        assert str(path) in action["description"] and str(path) in set(_ids(action["object"]))
    (maker,) = (job for job in pipeline.jobs() if path in job.outputs)
    action = crate.get(f"#{known[maker.command]}")
    assert made in {entity["sha256"] for entity in action["result"]}
    assert str(path) not in set(_ids(action["result"]))
    assert crate.get(str(path))["sha256"] == sha256(path)


def test_what_was_made_from_an_earlier_version_is_to_be_made_again(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], make_record: Callable[..., Record]
) -> None:
    write_text(LAYOUT.split("one"), LAYOUT.split("one").read_text(encoding="utf-8") + "\n")
    finish(make_record, pipeline.find("split", ["one"]))
    assert run_command("crate", ARGUMENTS) == 1
    stderr = capsys.readouterr().err
    assert f"error: {LAYOUT.split('one')}: " in stderr and "reproduce_all`" in stderr


def test_a_file_that_many_executions_read_is_hashed_once(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []

    def record_call(path: Path) -> str:
        hashed.append(path)
        return sha256(path)

    monkeypatch.setattr("mdrnets.exchange.unchanged.sha256", record_call)
    require_unchanged(executions(pipeline))
    assert sorted(hashed) == sorted(set(hashed)) and LAYOUT.split("one") in hashed


def test_without_git_the_agent_must_be_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert run_command("crate", []) == 1
    assert "--agent" in capsys.readouterr().err


def test_without_a_run_it_says_so(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("crate", [*ARGUMENTS, "--profile", "smoke"]) == 1
    assert "runs/smoke: " in capsys.readouterr().err
