"""Send the records of a profile's stages to MLflow, and mark as KILLED what died.

The workflow does this at its end. By hand it is of use after a server could not be reached, after
`dvc pull`, or for records that another machine made. To look at the runs:
mlflow ui --backend-store-uri sqlite:///mlflow.db
"""

import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.errors import UserError
from mdrnets.execution.command import stage_parser
from mdrnets.layout import Layout
from mdrnets.tracking.record import RecordStore
from mdrnets.tracking.store import TrackingError, public_uri
from mdrnets.tracking.stream import retry_hint
from mdrnets.tracking.sync import sync


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("--list", action="store_true", help="only print the records")
    parser.add_argument(
        "--all",
        action="store_true",
        help="also what was sent before, for example because the database was deleted",
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="for the workflow's end: print only what went wrong, and do not fail",
    )
    options = parser.parse_args(arguments)
    try:
        profile = load_config(options.profile).name
        records = RecordStore(Layout(profile).records)
        if options.list:
            _print(records)
            return 0
        count = sync(records, profile, everything=options.all)
    except (TrackingError, UserError) as error:
        print(
            retry_hint(error) if isinstance(error, TrackingError) else f"error: {error}",
            file=sys.stderr,
        )
        return 0 if options.quiet else 1
    if not options.quiet:
        print(f"{count} records sent to {public_uri()}")
    return 0


def _print(records: RecordStore) -> None:
    for record in records.all():
        run = record.sent.run_id if record.sent else "not sent"
        print(
            f"{record.name:40} {record.status:8} {record.started:%Y-%m-%d %H:%M} "
            f"{record.seconds:9.1f} s  {run}"
        )


if __name__ == "__main__":
    sys.exit(main())
