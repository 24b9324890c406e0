"""Where and how a training computes, and its further processes, by Lightning Fabric.

Fabric gives device, precision, processes and their process group. Its DDP wrapper is not used: a
step runs several networks, some of them twice, by methods other than `forward`, with weights that
change in between, and yields a loss for each optimiser. So the loop averages the gradients of each
optimiser itself (`mdrnets.runtime.distributed`): one message an update, whatever a method does.
"""

import os
import threading
import time

from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment

from mdrnets.runtime.numerics import require_device

FIRST = "MDRNETS_FIRST_RANK"
"""In the environment of the further processes: the number of the first."""
WATCH_EVERY = 1.0
"""Seconds between two looks at whether the first process is still there."""


def launch(*, device: str, devices: int, precision: str) -> Fabric:
    """Set up this process and, from rank 0, start the others: one for each further device.

    They run the command line of this process, with their rank in `LOCAL_RANK`.

    Args:
        device: `cpu` or `cuda`.
        devices: GPUs, or on a CPU processes, of the training.
        precision: `32-true` or `bf16-mixed`.

    Raises:
        UserError: there is no GPU.
    """
    require_device(device)
    if rank_here() == 0:
        os.environ[FIRST] = str(os.getpid())
    fabric = Fabric(
        accelerator=device,
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
        plugins=[LightningEnvironment()],  # the ranks are ours to start, under Slurm as well
    )
    fabric.launch()
    # Fabric's import sets it for processes that fork, and none does here. It makes PyTorch look for
    # GPUs by NVML in every step of an optimiser, which takes half a millisecond.
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    return fabric


def rank_here() -> int:
    """Which rank this process was started as; one that the user started is 0."""
    return int(os.environ.get("LOCAL_RANK", 0))


def exit_when_parent_dies() -> None:
    """End this process as soon as the one that started it has ended, whatever it waits for."""
    first = os.environ[FIRST]

    def watch() -> None:
        while str(os.getppid()) == first:
            time.sleep(WATCH_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
