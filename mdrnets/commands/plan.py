"""Print what a profile costs before it is run: GPU-hours, memory, disk, days on N GPUs.

Times are taken from earlier runs or from reports/reference/throughput_DEVICE.csv where these have
them; the others are estimated from the operations of the networks. Nothing is downloaded or
trained. Also writes runs/PROFILE/plan.json: the time, memory and disk that Snakemake requests from
a cluster for each job.
"""

import json
import logging
from collections.abc import Sequence

from mdrnets.commands.command_line import command_parser
from mdrnets.layout import REFERENCE
from mdrnets.planning.speed import DEVICES, Speed, read_measurements

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("plan", __doc__)
    parser.add_argument(
        "--device",
        choices=DEVICES,
        help="the device to plan for (default: a100 if the profile computes on GPUs, else cpu); "
        "earlier runs count only if they ran on it",
    )
    parser.add_argument(
        "--gpus",
        type=int,
        nargs="+",
        default=[1, 2, 4, 8],
        help="print the days for these numbers of GPUs or CPU cores (default: 1 2 4 8)",
    )
    options = parser.parse_args(arguments)
    if min(options.gpus) < 1:
        parser.error(f"argument --gpus: {min(options.gpus)}: expected numbers above 0")

    from mdrnets.config.load import load_config
    from mdrnets.files import write_text
    from mdrnets.layout import Layout

    config = load_config(options.profile)
    device = options.device or {"cuda": "a100", "cpu": "cpu"}[config.profile.device]

    from mdrnets.planning.page import cluster_resources, page
    from mdrnets.planning.plan import Planner

    speed = Speed(
        DEVICES[device],
        precision=config.profile.precision,
        threads=config.profile.threads,
        measurements=read_measurements(REFERENCE / f"throughput_{device}.csv"),
    )
    plan = Planner(config, speed, any_device=options.device is None).plan()
    print(page(plan, options.gpus))
    path = Layout(config.name).plan
    write_text(path, json.dumps(cluster_resources(plan), indent=1, sort_keys=True) + "\n")
    logger.info("%s: written, for the cluster profiles", path)
    return 0
