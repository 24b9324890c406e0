"""How much a run differs from the reference run of its profile, method by method.

Writes the largest difference of any cell, for each kind of metric, to other_processor.csv: L1 and
the Fréchet distance as a share of the reference value, the others in their units. Variants count
with their method. The tolerances in `mdrnets/reporting/reference/tolerances.py` come from it, with
a run of which the CPU's AVX-512 was switched off:

    export ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2
    snakemake --cores all reproduce_table1 reproduce_table2
    python benchmarks/other_processor.py --profile demo
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.performance_page import ROOT
from mdrnets.config.network_id import NetworkId
from mdrnets.files.tables import write_table
from mdrnets.layout import REFERENCE
from mdrnets.reporting.reference.compare import read_cells
from mdrnets.reporting.reference.run import load_reference
from mdrnets.reporting.reference.tolerances import LOOSE, metric_kind

TABLE = ROOT / "benchmarks" / "other_processor.csv"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="demo")
    parser.add_argument("--csv", type=Path, default=TABLE)
    options = parser.parse_args()

    tables = load_reference(options.profile, options.profile).tables
    here, there = (
        read_cells(path for table in tables if (path := folder / table).is_file())
        for folder in (Path("reports") / options.profile, REFERENCE / options.profile)
    )
    largest: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(LOOSE, 0.0))
    for key in here.keys() & there.keys():
        (value, _), (reference, _) = here[key], there[key]
        kind = metric_kind(key[3])
        difference = abs(value - reference)
        if LOOSE[kind].relative:
            difference /= abs(reference)
        row = largest[NetworkId.parse(key[2]).base]
        row[kind] = max(row[kind], difference)
    lines = [
        (method, *(f"{value:.3g}" for value in largest[method].values()))
        for method in sorted(largest)
    ]
    print(tabulate(lines, ("method", *LOOSE), disable_numparse=True))
    write_table(options.csv, ("method", *LOOSE), lines)


if __name__ == "__main__":
    main()
