import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = """
import resource, sys
import torch
from mdrnets.runtime.allocator import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
size = 2**24  # 64 MiB, 16,384 pages
for _ in range(8):  # small objects may land in the freed memory at first
    torch.ones(size)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(16):
    torch.ones(size)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_memory_of_freed_tensors_is_used_again() -> None:
    """Pages that the kernel had to clear, in processes of their own: the setting stays."""
    returned, kept = (
        int(
            subprocess.run(
                [sys.executable, "-c", FAULTS, how],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for how in ("returned", "kept")
    )
    assert kept < 0.5 * returned  # now and then small objects move a tensor to new pages
