import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.errors import UserError
from mdrnets.exchange.bundle import find_inputs, select_jobs, write_bundle
from mdrnets.exchange.import_results import mark_current
from mdrnets.files import write_text
from mdrnets.layout import BUNDLE
from mdrnets.tracking.curves import append_point
from mdrnets.tracking.provenance import git_state
from mdrnets.tracking.record import Record, hashes, read
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.finished_run import LAYOUT, write_finished_run
from tests.helpers.project import ROOT

RUN = LAYOUT.run
MODEL = LAYOUT.model("one", "toy")


@pytest.fixture
def pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> Pipeline:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    pipeline = write_finished_run(make_record)
    shutil.copy(ROOT / "workflow/bundle.smk", "workflow/bundle.smk")
    shutil.copytree(ROOT / "workflow/profiles/default", "workflow/profiles/default")
    Path("profiles/default").symlink_to("../workflow/profiles/default")
    shutil.rmtree(LAYOUT.records)
    for job in pipeline.jobs():
        _finish(make_record, pipeline, job)
    return pipeline


def _finish(make_record: Callable[..., Record], pipeline: Pipeline, job: Job) -> None:
    records = RecordStore(LAYOUT.records)
    record = make_record(
        name=pipeline.record_path(job.stage, job.wildcards).stem,
        stage=job.stage.program,
        profile="tiny",
        command=job.command,
        parameters=dict(job.parameters),
        inputs=hashes(job.inputs),
        code=hashes(job.code),
    )
    record = records.begin(record, resumes=False)
    append_point(records.curves(record), 1, {"loss": 0.5})
    records.update(record, status="FINISHED", outputs=hashes(job.outputs))


# -- there -------------------------------------------------------------------------------------


def test_a_bundle_has_the_code_and_the_inputs_and_no_results(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git_state("tiny")
    jobs = write_bundle(pipeline, Path("bundle.zip"))
    assert {job.stage.group for job in jobs} == {"train", "evaluate"}
    contents = {path: path.read_bytes() for path in find_inputs(jobs)}
    with zipfile.ZipFile("bundle.zip") as bundle:
        bundle.extractall("..")
    monkeypatch.chdir("../mdrnets-tiny")
    for job in jobs:
        assert all(path.is_file() for path in job.code)
        assert not any(path.exists() for path in job.outputs)
    assert Path("Snakefile").read_bytes() == (ROOT / "workflow/bundle.smk").read_bytes()
    assert Path("params.yaml").is_file() and Path("profiles/tiny.yaml").is_file()
    assert git_state("tiny") == commit
    settings = Path("profiles/default/config.yaml").read_text(encoding="utf-8")
    assert "rerun-incomplete: true" in settings and "scheduler: greedy" in settings

    assert run_command("unpack-bundle", []) == 0
    assert {path: path.read_bytes() for path in contents} == contents
    makers = {pipeline.record_path(*pipeline.makers[path]) for path in contents}
    assert set(LAYOUT.records.glob("*.json")) == makers


def test_the_same_project_gives_the_same_bundle(pipeline: Pipeline) -> None:
    for name in ("one.zip", "two.zip"):
        write_bundle(pipeline, Path(name))
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()


def test_a_bundle_has_the_profile_that_its_profile_extends(pipeline: Pipeline) -> None:
    Path("profiles/tiny.yaml").rename("profiles/base.yaml")
    write_text(Path("profiles/tiny.yaml"), "extends: base\n")
    write_bundle(Pipeline(load_config("tiny")), Path("bundle.zip"))
    with zipfile.ZipFile("bundle.zip") as bundle:
        names = {Path(name) for name in bundle.namelist()}
    assert {Path("mdrnets-tiny/profiles", name) for name in ("tiny.yaml", "base.yaml")} <= names


def test_a_missing_or_changed_input_is_named(pipeline: Pipeline) -> None:
    write_text(LAYOUT.split("one"), "changed\n")
    with pytest.raises(UserError, match=str(LAYOUT.split("one"))):
        write_bundle(pipeline, Path("bundle.zip"))
    LAYOUT.split("one").unlink()
    with pytest.raises(UserError, match=f"{LAYOUT.split('one')}: file not found"):
        write_bundle(pipeline, Path("bundle.zip"))
    assert not Path("bundle.zip").exists()


@pytest.mark.parametrize("path", ["../outside", "/outside", "runs/tiny/../../x", "params.yaml"])
def test_a_bundle_that_writes_outside_its_run_is_refused(pipeline: Pipeline, path: str) -> None:
    BUNDLE.parent.mkdir()
    packed = (
        f'{{"path": "{path}", "codec": "xz", "header": "", "shape": [], "parts": 1, "sha256": ""}}'
    )
    git = '{"commit": null, "dirty": null}'
    BUNDLE.write_text(f'{{"profile": "tiny", "git": {git}, "files": [{packed}]}}', encoding="utf-8")
    assert run_command("unpack-bundle", []) == 1
    assert not Path("../outside").exists()


# -- and back ----------------------------------------------------------------------------------


@pytest.fixture
def there(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the bundle was run; this project has no results."""
    monkeypatch.setattr("mdrnets.exchange.import_results.mark_current", lambda *_: None)
    there = Path("../there")
    shutil.copytree(RUN, there / RUN)
    for job in select_jobs(pipeline):
        pipeline.record_path(job.stage, job.wildcards).unlink()
        for path in job.outputs:
            path.unlink()
    return there


def _archive(there: Path, base: str) -> Path:
    """A zip archive of `runs/tiny`, as a user may make it: from another folder."""
    root = {"project": there, "runs": there / "runs", "parent": there.parent}[base]
    with zipfile.ZipFile("results.zip", "w") as archive:
        for path in sorted((there / RUN).rglob("*")):
            archive.write(path, path.relative_to(root))
    return Path("results.zip")


@pytest.mark.parametrize("base", [None, "project", "runs", "parent"])
def test_results_come_back_with_their_records(
    pipeline: Pipeline, there: Path, base: str | None
) -> None:
    results = _archive(there, base) if base else there
    assert run_command("import-results", [str(results)]) == 0
    for job in select_jobs(pipeline):
        record = read(pipeline.record_path(job.stage, job.wildcards))
        assert record is not None and record.outputs == hashes(job.outputs)
        assert RecordStore(LAYOUT.records).curves(record).is_file()
        assert all(path.read_bytes() == (there / path).read_bytes() for path in job.outputs)


def test_unfinished_jobs_stay_there(pipeline: Pipeline, there: Path) -> None:
    job = pipeline.find("evaluate", ["one", "toy"])
    path = there / pipeline.record_path(job.stage, job.wildcards)
    write_text(path, path.read_text(encoding="utf-8").replace('"FINISHED"', '"FAILED"'))
    assert run_command("import-results", [str(there)]) == 0
    assert MODEL.exists() and not LAYOUT.scores("one", "toy").exists()


def _edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    write_text(path, text.replace(before, after, 1))


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("output", MODEL),
        ("absent", MODEL),
        ("code", "train_base"),
        ("parameter", "network:seed"),
        ("input", LAYOUT.images("one")),
        ("record", "records"),
        ("name", "train-"),
        ("outputs", "train-"),
        ("nothing", "records"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    pipeline: Pipeline, there: Path, fault: str, named: Path | str, capsys: pytest.CaptureFixture
) -> None:
    job = next(job for job in pipeline.jobs() if MODEL in job.outputs)
    record = there / pipeline.record_path(job.stage, job.wildcards)
    match fault:
        case "output":
            write_text(there / MODEL, "other\n")
        case "absent":
            (there / MODEL).unlink()
        case "code":
            write_text(Path("stages/train.py"), "print()\n")
        case "parameter":
            _edit(record, '"network:seed": ', '"network:seed": 9')
        case "input":
            write_text(LAYOUT.images("one"), "other\n")
        case "record":
            write_text(record, "{}")
        case "name":
            _edit(record, '"name": "', '"name": "other-')
        case "outputs":
            _edit(record, '"outputs": {', '"outputs": {"other": {"sha256": "", "bytes": 0},')
        case "nothing":
            shutil.rmtree(there / LAYOUT.records)
    assert run_command("import-results", [str(there)]) == 1
    assert str(named) in capsys.readouterr().err
    assert not any(path.exists() for job in select_jobs(pipeline) for path in job.outputs)


def test_snakemake_finds_the_environment_where_none_is_active(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path("environment/bin/python").absolute()
    write_text(program, '#!/bin/sh\nif [ "$1" = -m ]; then exec python; fi\ntouch found\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("PATH", os.defpath)
    mark_current(pipeline, [])
    assert Path("found").exists()
