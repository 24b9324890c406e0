"""Working copies of the project, in which the engines really run."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Copy:
    """A git checkout of the project with `profile: smoke`."""

    root: Path

    def run(
        self, *command: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it; a failure shows what the command printed.

        Args:
            variables: of the environment, in addition.
        """
        process = subprocess.run(
            command,
            cwd=self.root,
            env=environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        if check and process.returncode:
            raise AssertionError(
                f"{' '.join(command)} exited {process.returncode}:\n{process.stdout}"
            )
        return process

    @contextmanager
    def stopped(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command and stop it, with all its processes, as soon as it runs its first job.

        All are killed at the end.
        """
        jobs = self.root / "runs/smoke/records"
        before = set(jobs.glob("*.json"))
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not set(jobs.glob("*.json")) - before:
                assert process.poll() is None, f"{command} ended before its first job"
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGSTOP)
            yield process
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def snakemake(
        self, *arguments: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run("snakemake", "--cores", "all", *arguments, check=check, **variables)

    def results(self) -> dict[str, str]:
        """SHA-256 of every declared output."""
        outputs = self.run(
            "python",
            "-c",
            "from mdrnets.config.load import load_config\n"
            "from mdrnets.dag.pipeline import Pipeline\n"
            "for i in Pipeline(load_config()).jobs(): print(*i.outputs, sep='\\n')",
        ).stdout.split()
        return {
            name: hashlib.sha256((self.root / name).read_bytes()).hexdigest() for name in outputs
        }

    def clone(self, folder: Path) -> "Copy":
        subprocess.run(["git", "clone", "-q", str(self.root), str(folder)], check=True)
        return Copy(folder)

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", *_AUTHOR, "commit", "-q", "--allow-empty", "-m", message)


_AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@localhost")


def environment() -> dict[str, str]:
    """The environment of a shell in which the project's environment is active."""
    binaries = str(Path(sys.executable).parent)
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "MDRNETS_INV"))}
    return variables | {"PATH": binaries + os.pathsep + os.environ["PATH"]}


@pytest.fixture(scope="session")
def project_copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A fresh checkout of the project as it is in the working tree."""
    # A space and a letter beyond ASCII: paths of users have them.
    root = tmp_path_factory.mktemp("project") / "a cöpy"
    for name in _files():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, target, follow_symlinks=False)
    copy = Copy(root)
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("profile: demo", "profile: smoke", 1))
    copy.run("python", "workflow/dvc_yaml.py")
    copy.run("git", "init", "-q")
    copy.commit("as it is")
    return copy


def _files() -> Sequence[str]:
    stages = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [name for name in stages if (PROJECT / name).exists()]
