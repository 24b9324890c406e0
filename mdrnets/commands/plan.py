"""Print what a profile costs before any of it runs: steps, GPU-hours, memory, disk, days on N GPUs.

Times are measured ones where an earlier run or reports/reference/throughput_DEVICE.csv has them,
else estimates from the operations that the networks need. Nothing is downloaded or trained. Writes
runs/PROFILE/plan.json, from which the rules take what each job asks a cluster for.
"""

import json
import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.execution.command import handle_user_errors, stage_parser
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.planning.speed import DEVICES, REFERENCE, Speed, read_measurements


@handle_user_errors
def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument(
        "--device", choices=DEVICES, help="default: a100 where the profile computes on cuda"
    )
    parser.add_argument(
        "--gpus", type=int, nargs="+", default=[1, 2, 4, 8], help="how many to plan"
    )
    options = parser.parse_args(arguments)
    if min(options.gpus) < 1:
        parser.error("--gpus: expected numbers above 0")
    config = load_config(options.profile)
    device = options.device or {"cuda": "a100", "cpu": "cpu"}[config.profile.device]

    from mdrnets.planning.page import page, requests
    from mdrnets.planning.plan import Planner

    speed = Speed(
        DEVICES[device],
        precision=config.profile.precision,
        measurements=read_measurements(REFERENCE / f"throughput_{device}.csv"),
    )
    plan = Planner(config, speed, say=lambda line: print(line, file=sys.stderr)).plan()
    print(page(plan, options.gpus))
    path = Layout(config.name).plan
    write_text(path, json.dumps(requests(plan), indent=1, sort_keys=True) + "\n")
    print(f"{path}: written, for the cluster profiles", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
