"""A Slurm cluster of one node: Debian's daemons, with their configuration and state in a folder."""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DAEMONS = ("munged", "slurmctld", "slurmd")
PATIENCE = 60  # seconds until a daemon must be there

MUNGE = {
    "socket": "munge.socket",
    "key-file": "munge.key",
    "pid-file": "munged.pid",
    "log-file": "munged.log",
    "seed-file": "munged.seed",
}
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
# A requeued job waits until its credential has expired.
AuthInfo=socket={folder}/munge.socket,cred_expire=10
CredType=cred/munge
AuthType=auth/munge
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# Nothing that a container forbids: no control groups, no accounting.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,batch_sched_delay=1
MpiDefault=none
ReturnToService=2
KillWait=60
# More than there may be: what jobs ask for is not what these small ones need.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def slurm_cluster(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Run the daemons; yield the environment, changed so that Slurm's commands find them.

    Skips the test where Slurm is not installed and cannot be, or where it does not start.
    """
    _install()
    for name in ("controller", "node"):
        (folder / name).mkdir()
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            user=getpass.getuser(),
            folder=folder,
            controller=_free_port(),
            node=_free_port(),
        )
    )
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    environment = environment | {
        "SLURM_CONF": str(configuration),
        "PATH": f"{_commands(folder, configuration)}{os.pathsep}{environment['PATH']}",
    }
    commands = [
        ["munged", "--foreground", "--force"],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    ]
    for option, name in MUNGE.items():
        commands[0].append(f"--{option}={folder / name}")
    daemons = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.out").open("w") as output:
                daemons.append(
                    subprocess.Popen(command, env=environment, stdout=output, stderr=output)
                )
            if command[0] == "munged":
                _wait(lambda: (folder / "munge.socket").exists(), folder, "munged")
        _wait(lambda: "idle" in _nodes(environment), folder, "slurmctld", "slurmd")
        yield environment
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(PATIENCE)


def _install() -> None:
    missing = [name for name in DAEMONS if shutil.which(name) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"{', '.join(missing)}: not installed, and only root can, with apt-get")
    done = subprocess.run(
        ["apt-get", "install", "--yes", "--no-install-recommends", "slurm-wlm", "munge"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"apt-get could not install slurm-wlm: {done.stderr.splitlines()[-1]}")


def _commands(folder: Path, configuration: Path) -> Path:
    """A folder with an `srun` that finds the configuration: in a job the plugin drops `SLURM_…`."""
    binaries = folder / "bin"
    binaries.mkdir()
    srun = binaries / "srun"
    srun.write_text(f"#!/bin/sh\nSLURM_CONF='{configuration}' exec {shutil.which('srun')} \"$@\"\n")
    srun.chmod(0o755)
    return binaries


def _nodes(environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"], env=environment, capture_output=True, text=True
    )
    return done.stdout


def _wait(condition: Callable[[], bool], folder: Path, *daemons: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            logs = [(folder / f"{name}.out").read_text()[-500:] for name in daemons]
            pytest.skip(f"Slurm does not start here: {' '.join(logs)}")
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
