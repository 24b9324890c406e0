"""Everything that decides the last bits of a result, set in one place.

On a CPU the same seed, threads and machine type then give the same bytes. On a GPU operations
that have a deterministic form use it, and those without one only warn.
"""

import os
from typing import Any

import torch

from mdrnets.errors import UserError
from mdrnets.runtime.allocator import keep_freed_memory


def set_numerics(*, device: str, precision: str, threads: int) -> dict[str, Any]:
    """Set threads, memory, determinism and TensorFloat-32, before anything is computed.

    Args:
        device: `cpu` or `cuda`.
        precision: `32-true` also keeps TensorFloat-32 off; `bf16-mixed` turns it on.
        threads: of each operation on the CPU; sums are split among them.

    Returns:
        What was set, and on which hardware, for the record.

    Raises:
        UserError: there is no GPU.
    """
    require_device(device)
    torch.set_num_threads(threads)
    keep_freed_memory()

    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # else cuBLAS sums in any order
    torch.use_deterministic_algorithms(True, warn_only=device == "cuda")
    # Nothing here reads uninitialised memory, and filling it costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False

    tf32 = precision != "32-true"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32

    return {
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name() if device == "cuda" else _cpu(),
        "precision": precision,
        "threads": threads,
        "deterministic": "where possible" if device == "cuda" else "always",
        "tf32": tf32,
    }


def require_device(device: str) -> None:
    """Raises:
    UserError: the device is a GPU, and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device: the profile asks for cuda, but PyTorch sees no GPU; run where there is one, "
            "or choose `device: cpu`"
        )


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which trained networks run; Fabric has the same for the training loop."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed")


def _cpu() -> str:
    return f"CPU, {torch.backends.cpu.get_cpu_capability()}"
