"""Set up the device, the precision and the processes of a training with Lightning Fabric.

Fabric's DDP wrapper is not used: a training step runs several networks, some of them twice, through
methods other than `forward`, with weights that change in between, and it yields one loss for each
optimiser. Instead, the training loop averages the gradients of each optimiser itself
(`mdrnets.runtime.distributed`), with one message for each update.
"""

import os

from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

from mdrnets.runtime.numerics import require_device
from mdrnets.runtime.workers import announce_parent, local_rank


def launch(*, device: str, devices: int, precision: str) -> Fabric:
    """Set up this process and, from rank 0, start one worker process for each further device.

    A worker runs the command line of this process, with its rank in `LOCAL_RANK`.

    Args:
        device: `cpu` or `cuda`.
        devices: number of GPUs, or of processes on a CPU.
        precision: `32-true` or `bf16-mixed`.

    Raises:
        UserError: no GPU is available.
    """
    require_device(device)
    if local_rank() == 0:
        announce_parent()
    fabric = Fabric(
        accelerator=device,
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
        plugins=[LightningEnvironment()],  # start the ranks ourselves, under Slurm as well
    )
    fabric.launch()
    # Importing Fabric sets this variable for processes that fork, and none does here. With it,
    # PyTorch looks for GPUs through NVML in every optimiser step, which takes half a millisecond.
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    return fabric
