"""CPU time of parts of the code, before and after: a commit against this checkout.

Each case runs in its process, alternating with the commit before, in one thread. The median of
all runs goes to benchmarks/before_after.csv, from which `python benchmarks/performance_page.py`
writes docs/performance.md.

    python benchmarks/before_after.py --before fc23df1 ctsdg_step batch
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import CASES
from benchmarks.performance_page import COLUMNS, ROOT, TABLE, Row, read_rows
from mdrnets.files.tables import write_table
from mdrnets.tracking.provenance import machine


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: {', '.join(CASES)}")
    parser.add_argument("--before", required=True, help="commit to compare with")
    parser.add_argument("--runs", type=int, default=5, help="of each (default: %(default)s)")
    options = parser.parse_args()
    rows = {row.case: row for row in read_rows(TABLE)} if TABLE.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        _git("worktree", "add", "--detach", str(before), options.before)
        try:
            for case in options.cases or CASES:
                rows[case] = _compare(case, before, options.before, options.runs)
                print(rows[case], flush=True)
        finally:
            _git("worktree", "remove", "--force", str(before))
    write_table(TABLE, COLUMNS, [rows[case] for case in CASES if case in rows])


def _compare(case: str, before: Path, commit: str, runs: int) -> Row:
    pairs = [(_seconds(case, before), _seconds(case, ROOT)) for _ in range(runs)]
    old, new = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    return Row(case, commit, str(runs), f"{old:.4g}", f"{new:.4g}", f"{ratio:.3g}", machine().cpu)


def _seconds(case: str, tree: Path) -> float:
    # Cases of this checkout, run with the package of `tree`.
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "cases.py"), case],
        env={**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"},
        cwd=tree,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(result.stdout)


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
