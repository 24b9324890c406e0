import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from mdrnets.tracking import provenance
from mdrnets.tracking.provenance import Process, git_state, machine, this_process, versions

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("mdrnets/code.py", "reports/published/table1.csv", "params.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as committed\n")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "begin")
    return tmp_path


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


def test_a_clean_checkout_has_its_commit(checkout: Path) -> None:
    state = git_state("demo", checkout)
    assert state.commit == _git(checkout, "rev-parse", "HEAD")
    assert state.dirty is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_the_checkout_of_another_user_has_its_commit(checkout: Path) -> None:
    commit = _git(checkout, "rev-parse", "HEAD")
    os.chown(checkout, 65534, 65534)
    assert git_state("demo", checkout).commit == commit


def test_what_a_run_writes_makes_nothing_dirty(checkout: Path) -> None:
    for name in (
        "runs/demo/setup.json",
        "reports/demo/table1.md",
        "data/holes.zip",
        "mlflow.db",
        "mlflow.db.lock",
        "mlartifacts/1/manifest.json",
        "dvc.lock",
        ".dvc/tmp/lock",
        ".snakemake/log",
    ):
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("written\n")
    assert git_state("demo", checkout).dirty is False


def test_an_environment_elsewhere_and_what_commands_of_the_documents_write_make_nothing_dirty(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (checkout / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    _git(checkout, "add", ".gitignore")
    _git(checkout, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "ignore")
    (checkout / ".venv").symlink_to(tmp_path_factory.mktemp("environment"))
    for folder in ("dvc_plots", "exported", "bundle", "inputs"):
        (checkout / folder).mkdir()
        (checkout / folder / "file").write_text("written\n")
    for name in ("pip-list.txt", "report.zip", "results.zip", "run.log", "nohup.out"):
        (checkout / name).write_text("written\n")
    assert git_state("demo", checkout).dirty is False


def test_a_repository_around_the_project_has_no_say(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = checkout / "unpacked"
    inner.mkdir()
    assert git_state("demo", inner).commit is None
    _git(inner, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))  # as in a hook of git
    assert git_state("demo", inner).commit is None


@pytest.mark.parametrize(
    "name", ["mdrnets/code.py", "mdrnets/new.py", "params.yaml", "reports/published/table1.csv"]
)
def test_a_changed_or_new_source_is_dirty(checkout: Path, name: str) -> None:
    (checkout / name).write_text("changed\n")
    assert git_state("demo", checkout).dirty is True


def test_a_file_name_that_is_not_utf8_is_a_change_as_any_other(checkout: Path) -> None:
    _git(checkout, "config", "core.quotePath", "false")
    try:
        Path(os.fsdecode(os.fsencode(checkout) + b"/\xe9.py")).touch()
    except OSError:
        pytest.skip("the file system takes no such names")
    assert git_state("demo", checkout).dirty is True


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    state = git_state("demo", tmp_path)
    assert state.commit is None and state.dirty is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state("demo", checkout).commit is None


def test_versions_are_those_of_the_packages() -> None:
    result = versions()
    assert result["numpy"] == np.__version__
    assert result["python"] == ".".join(map(str, sys.version_info[:3]))


def test_what_is_not_installed_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package"))
    assert versions().keys() == {"python", "numpy"}


def test_the_machine_is_described() -> None:
    result = machine()
    assert 1 <= result.cores <= (os.cpu_count() or 1)
    assert result.memory > 2**28
    assert result.cpu and result.host


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx512_bf16 amx_bf16 amx_tile", ("avx512_bf16", "amx_bf16")), ("fpu avx512f", ())],
)
def test_the_cpus_bfloat16_is_recorded(
    flags: str, expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: A: B\nflags\t\t: {flags}\n\n")
    monkeypatch.setattr(provenance, "CPU_INFORMATION", path)
    assert (machine().cpu, machine().bfloat16) == ("A: B", expected)

    monkeypatch.setattr(provenance, "CPU_INFORMATION", tmp_path / "none")
    assert machine().cpu and not machine().bfloat16


def test_a_running_process_is_not_gone() -> None:
    assert not this_process().is_gone()


def test_an_ended_process_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        created = psutil.Process(child.pid).create_time()
        process = Process(host=this_process().host, pid=child.pid, created=created)
        assert not process.is_gone()
        child.kill()
    assert process.is_gone()


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    before = this_process().model_copy(update={"created": this_process().created - 3600})
    assert before.is_gone()


def test_a_process_of_another_host_is_thought_to_run() -> None:
    assert not Process(host="elsewhere", pid=1, created=0.0).is_gone()


_SHOW = "from mdrnets.tracking.provenance import invocation; print(invocation())"


def _environment() -> dict[str, str]:
    environ = {key: value for key, value in os.environ.items() if key != provenance.INVOCATION}
    return environ | {"PYTHONPATH": str(ROOT)}


def _invocations(*command: str | Path, **variables: str) -> list[str]:
    environment = _environment() | variables
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.split()


def test_processes_below_one_engine_share_its_invocation(tmp_path: Path) -> None:
    engine = tmp_path / "snakemake"
    engine.write_text(f"#!/bin/sh\n{sys.executable} -c '{_SHOW}'\n{sys.executable} -c '{_SHOW}'\n")
    engine.chmod(0o755)
    first, second = _invocations(engine)
    assert first == second and first.startswith("snakemake-")
    assert _invocations(engine)[0] != first


def test_an_invocation_named_in_the_environment_comes_first(tmp_path: Path) -> None:
    engine = tmp_path / "dvc"
    engine.write_text(f"#!/bin/sh\n{sys.executable} -c '{_SHOW}'\ntrue\n")
    engine.chmod(0o755)
    assert _invocations(engine, MDRNETS_INVOCATION="snakemake-7") == ["snakemake-7"]


def test_a_command_by_hand_belongs_to_none(tmp_path: Path) -> None:
    by_hand = [sys.executable, "-c", _SHOW]
    assert _invocations(*by_hand) == ["None"]
    # As in a terminal of `screen -S dvc`: its name is no engine.
    (tmp_path / "dvc").write_text(f"import subprocess; subprocess.run({by_hand!r})\n")
    done = subprocess.run(
        ["screen", "-S", "dvc"],
        executable=sys.executable,  # its -S is another option
        cwd=tmp_path,
        env=_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["None"]


_SHOW_COMMAND = _SHOW.replace("invocation", "workflow_command")


def test_the_command_of_the_engine_is_known_without_its_secrets(tmp_path: Path) -> None:
    engine = tmp_path / "dvc"
    engine.write_text(f"#!/bin/sh\n{sys.executable} -c '{_SHOW_COMMAND}'\ntrue\n")
    engine.chmod(0o755)
    output = _invocations(engine, "repro", "https://me:secret@host/x")
    assert output == ["dvc", "repro", "https://host/x"]
    named = "snakemake https://me:secret@host/x"
    assert _invocations(engine, MDRNETS_INVOCATION_COMMAND=named) == ["snakemake", "https://host/x"]
    assert _invocations(sys.executable, "-c", _SHOW_COMMAND) == ["None"]
