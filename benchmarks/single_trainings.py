"""How far one training decides between variants: the tests of the ablations, training by training.

For a finished run with several trainings: the verdicts that each would give alone, by p-values of
its test images, and how often two trainings contradict each other significantly.

    python benchmarks/single_trainings.py --profile real64-500
"""

import sys
from itertools import combinations
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config.load import load_config
from mdrnets.execution.program import profile_parser
from mdrnets.layout import Layout
from mdrnets.metrics.names import frechet_name
from mdrnets.reporting.claims.ablations import ablation_findings
from mdrnets.reporting.claims.claims import read_variant_results, select_resampling
from mdrnets.reporting.claims.finding import LEVEL, Finding, signed_margin
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.runtime.numerics import set_numerics


def main() -> None:
    config = load_config(profile_parser(None, __doc__).parse_args().profile)
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    results = read_variant_results(config, Layout(config.name))
    if results is None:
        raise SystemExit(f"{config.path}: variants: none, expected those of Table 2")
    metrics = {metric.name: metric for metric in table1_metrics(config.profile.frechet)}

    def sign(finding: Finding) -> int:
        """1: significantly as claimed; −1: significantly the opposite; 0: neither."""
        margin = signed_margin(metrics[str(finding.metric)], finding.here)
        if margin is None or finding.adjusted_p is None or finding.adjusted_p >= LEVEL:
            return 0
        return 1 if margin > 0 else -1

    resampling = select_resampling(config.protocol)
    alone = [
        [f for f in ablation_findings(config, one, resampling=resampling) if f.metric]
        for one in results.trainings()
    ]
    signs = [[sign(finding) for finding in findings] for findings in alone]
    rows = [(k, len(one), one.count(1), one.count(-1)) for k, one in enumerate(signs, start=1)]
    print(tabulate(rows, ["training", "tests", "supported", "contradicted"], tablefmt="pipe"))
    distance = frechet_name(config.profile.frechet)
    opposite = [
        finding.metric == distance
        for finding, *each in zip(alone[0], *signs, strict=True)
        if any(a * b < 0 for a, b in combinations(each, 2))
    ]
    print(
        f"Two trainings contradict each other in {len(opposite)} tests, "
        f"{sum(opposite)} of them by {distance}."
    )


if __name__ == "__main__":
    main()
