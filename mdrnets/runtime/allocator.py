"""How the C library's allocator treats the tensors of a process."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the process keep the memory of freed tensors, instead of giving it back each time.

    By default glibc maps each large tensor anew, and the kernel clears every page of it:
    `benchmarks/allocator.py` measures what that costs. No result depends on it.

    Returns:
        Whether it did: other C libraries have no such setting.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, NEVER))
