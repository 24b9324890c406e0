"""Pack the run records of a profile for DVC, unpack them, or check results against them.

A record tells who made which files, and from what. `make record` packs the records into
records/PROFILE.zip, which DVC tracks with the results. After `dvc pull`, `make restore` unpacks
the records of the files that exist here. The records of this machine's own executions stay.
`check` compares every result with its record and with today's code and configuration: both targets
use it, so that nothing passes for the result of code that never ran.
"""

from collections.abc import Sequence

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("records", __doc__)
    parser.add_argument("action", choices=("pack", "unpack", "check"))
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.files.dvc import check_dvc_files
    from mdrnets.layout import Layout
    from mdrnets.tracking.bundle import pack, unpack
    from mdrnets.tracking.record import RecordStore

    check_dvc_files()
    config = load_config(options.profile)
    if options.action == "check":
        from mdrnets.dag.pipeline import Pipeline
        from mdrnets.tracking.executions import check_results

        pipeline = Pipeline(config)
        print(f"{pipeline.layout.run}: the results of {check_results(pipeline)} jobs are current")
        return 0
    layout = Layout(config.name)
    records = RecordStore(layout.records)
    if options.action == "pack":
        print(f"{layout.bundle}: {pack(records, layout.bundle)} records")
    else:
        print(f"{layout.records}: {unpack(layout.bundle, records)} records restored")
    return 0
