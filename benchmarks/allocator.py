"""Time saved by keeping freed memory, measured on the features of the Fréchet distance.

    python benchmarks/allocator.py

Each measurement runs in its own process, because the setting is permanent. Prints CPU seconds in
the program and in the kernel, and the ratio of their sums.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 3
PROGRAM = """
import os, sys
import torch
from mdrnets.metrics.features import build_feature_network
from mdrnets.runtime.numerics import keep_freed_memory

torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
network = build_feature_network("effnet-lite0", weights=None)
image = torch.rand(20, 3, 64, 64)
before = os.times()
with torch.inference_mode():
    for _ in range(10):
        network(image)
after = os.times()
print(after.user - before.user, after.system - before.system)
"""


def main() -> None:
    sums: dict[str, float] = {}
    for _ in range(REPEATS):
        for how in ("returned", "kept"):
            output = subprocess.run(
                [sys.executable, "-c", PROGRAM, how],
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            user, system = map(float, output.split())
            sums[how] = sums.get(how, 0.0) + user + system
            print(f"freed memory {how}: program {user:.2f} s, kernel {system:.2f} s")
    print(f"returned / kept: {sums['returned'] / sums['kept']:.2f}")


if __name__ == "__main__":
    main()
