"""Everything that decides the last bits of a result, set in one place.

On a CPU, the same seed, number of threads and machine type then give the same bytes. On a GPU,
operations that have a deterministic implementation use it; the others only warn.
"""

import ctypes
import os
import platform
from typing import Any

import torch

from mdrnets.errors import UserError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
NEVER = 2**31 - 1


def set_numerics(
    *, device: str, precision: str, threads: int, deterministic: bool = True
) -> dict[str, Any]:
    """Set threads, memory and determinism, before anything is computed.

    TensorFloat-32 is never used: under `bf16-mixed` the products that autocast lowers are bfloat16
    anyway, and those that ask for full precision need it.

    Args:
        device: `cpu` or `cuda`.
        precision: of the run, for its record.
        threads: number of threads of each CPU operation; sums are split among them.
        deterministic: on a GPU, whether to use deterministic operations where there are any. They
            cost time and memory: bilinear resizing becomes a gather, whose backward pass sorts (of
            16 resized maps of SPADE, 2.8 GiB for a batch of 8 at 256²). Without them, sums are in
            any order, and cuDNN times several kernels and takes the fastest.

    Returns:
        The settings and the hardware, for the record of the execution.

    Raises:
        UserError: no GPU is available.
    """
    require_device(device)
    torch.set_num_threads(threads)
    keep_freed_memory()

    deterministic = deterministic or device == "cpu"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # otherwise cuBLAS sums in any order
    torch.use_deterministic_algorithms(deterministic, warn_only=deterministic and device == "cuda")
    # No code here reads uninitialised memory, and filling it takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.deterministic = deterministic
    torch.backends.cudnn.benchmark = not deterministic

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False

    return {
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name() if device == "cuda" else _cpu(),
        "precision": precision,
        "threads": threads,
        "deterministic": _determinism(device, deterministic=deterministic),
    }


def _determinism(device: str, *, deterministic: bool) -> str:
    if device == "cpu":
        return "always"
    return "where possible" if deterministic else "no"


def require_device(device: str) -> None:
    """Check that a device is available.

    Raises:
        UserError: it is a GPU, and PyTorch finds none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device: the profile asks for cuda, but PyTorch found no GPU; run on a machine with a "
            "GPU, or set `device: cpu`"
        )


def keep_freed_memory() -> bool:
    """Let the process keep the memory of freed tensors instead of returning it to the kernel.

    By default, glibc maps new pages for each large tensor, and the kernel clears all of them;
    `benchmarks/allocator.py` measures the cost. No result depends on this setting.

    Returns:
        Whether it was applied: C libraries other than glibc have no such setting.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, NEVER))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which trained networks run. In the training loop, Fabric provides it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed")


def _cpu() -> str:
    return f"CPU, {torch.backends.cpu.get_cpu_capability()}"
