"""Start-up time: `--help` of every stage (its imports), and both engines without work.

    python benchmarks/startup.py [--repeats 3]

The engines are timed in the current folder, where the profile's table must be up to date. Only
compare rows of the same run, because timings are noisy.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tabulate import tabulate

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()

    stages = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))
    commands = {
        "python": [sys.executable, "-c", ""],
        **{f"stages.{name}": [sys.executable, "-m", f"stages.{name}", "--help"] for name in stages},
        "snakemake (nothing to do)": ["snakemake", "--cores", "1", "--quiet", "all"],
        "dvc repro (nothing to do)": ["dvc", "repro", "--quiet"],
    }
    rows = [
        [name, f"{_seconds(command, options.repeats):.2f}"] for name, command in commands.items()
    ]
    print(tabulate(rows, ["command", "seconds"], disable_numparse=True))


def _seconds(command: list[str], repeats: int) -> float:
    """Return the median wall-clock time, without the first run, which fills the disk cache."""
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
