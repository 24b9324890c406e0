"""Write docs/performance.md from benchmarks/before_after.csv and precision.csv.

python benchmarks/performance_page.py
"""

import inspect
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.files.markdown import format_table
from mdrnets.files.tables import read_header, read_table

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "benchmarks" / "before_after.csv"
PRECISION = ROOT / "benchmarks" / "precision.csv"
PAGE = ROOT / "docs" / "performance.md"
TEXT = """# Performance

CPU seconds of one unit of work, before and after a change, on one thread. Each figure is the median
of alternating runs, each in a process of its own after a run that is not counted; *ratio* is the
median of the ratios of the pairs (below 1: faster). The tests assert that results are equal.

{table}

Processor: {machines}.

## Mixed precision on a CPU

CPU seconds of one training step of each phase, and of the completion of 8 images, for the networks
of profile `{profile}` in `32-true` and in `bf16-mixed`: medians of {pairs} pairs. *ratio* is the
median of the ratios of the pairs (below 1: `bf16-mixed` is faster). The last row sums all phases of
one training, each times its number of steps. The processor has instructions for bfloat16 (the
record of a run lists them as `machine.bfloat16`). Even so, the training of the whole profile does
not get faster, so all profiles for a CPU use `32-true`. The machine had other work to do:
differences of a tenth are noise.

{precision}

To measure again: `python benchmarks/before_after.py --before COMMIT [CASE …]`, then
`python benchmarks/precision.py --profile {profile} --pairs {pairs}` and
`python benchmarks/performance_page.py`. This page is generated from
[`benchmarks/before_after.csv`](../benchmarks/before_after.csv) and
[`benchmarks/precision.csv`](../benchmarks/precision.csv). `benchmarks/training_step.py` times whole
training steps of a profile. Nothing was timed on a GPU.
"""


class Row(NamedTuple):
    """A line of the table: seconds, and the median ratio after / before."""

    case: str
    commit: str
    runs: str
    before: str
    after: str
    ratio: str
    processor: str


COLUMNS = Row._fields


def read_rows(path: Path) -> list[Row]:
    return [Row(**row) for row in read_table(path, COLUMNS)]


def page(rows: list[Row]) -> str:
    from benchmarks.cases import CASES

    lines = [
        (inspect.cleandoc(CASES[row.case].__doc__ or "").rstrip("."), f"`{row.commit}`", *row[2:-1])
        for row in rows
    ]
    headers = ("what", "before is", "runs", "before, s", "after, s", "ratio")
    table = format_table(headers, lines)
    machines = ", ".join(dict.fromkeys(row.processor for row in rows))
    return TEXT.format(table=table, machines=machines, **_precision())


def _precision() -> dict[str, str]:
    """The table of the precisions, and its profile and number of pairs."""
    *headers, profile, pairs, _ = read_header(PRECISION)
    rows = read_table(PRECISION)
    table = format_table(headers, [[row[header] for header in headers] for row in rows])
    return {"precision": table, "profile": rows[0][profile], "pairs": rows[0][pairs]}


if __name__ == "__main__":
    PAGE.write_text(page(read_rows(TABLE)), encoding="utf-8")
