"""Pack the run records of a profile for DVC, unpack them, or check results against them.

A record tells who made which files, and from what. `make record` packs the records into
records/PROFILE.zip, which DVC tracks with the results. After `dvc pull`, `make restore` unpacks
the records of the files that exist here. The records of this machine's own executions stay, unless
only those of the archive have today's code and configuration.
`check` compares every result with its record and with today's code and configuration: both targets
use it, so that nothing passes for the result of code that never ran.
"""

from collections.abc import Sequence

from mdrnets.commands.command_line import command_parser
from mdrnets.errors import UserError


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("records", __doc__)
    parser.add_argument("action", choices=("pack", "unpack", "check"))
    parser.add_argument(
        "--complete", action="store_true", help="check: fail as well if a result is missing"
    )
    options = parser.parse_args(arguments)
    if options.complete and options.action != "check":
        parser.error(f"argument --complete: not for `{options.action}`; leave it out")

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline, snakemake_command
    from mdrnets.files.dvc import check_dvc_files
    from mdrnets.tracking.executions import check_results, current_records
    from mdrnets.tracking.record_store import RecordStore
    from mdrnets.tracking.records_archive import pack, unpack

    check_dvc_files()
    pipeline = Pipeline(load_config(options.profile))
    layout = pipeline.layout
    if options.action == "check":
        current, jobs = check_results(pipeline), len(list(pipeline.jobs()))
        print(f"{layout.run}: the results of {current} of {jobs} jobs are here and current")
        if options.complete and current < jobs:
            raise UserError(
                f"{layout.run}: the results of {jobs - current} jobs are missing; run "
                f"`{snakemake_command(pipeline.config.name, 'reproduce_all')}`"
            )
        return 0
    records = RecordStore(layout.records)
    if options.action == "pack":
        print(f"{layout.records_archive}: {pack(records, layout.records_archive)} records")
    else:
        count = unpack(layout.records_archive, records, is_current=current_records(pipeline))
        print(f"{layout.records}: {count} records restored")
    return 0
