"""Send run records and trained networks of a profile to MLflow, and mark dead runs as KILLED.

The workflow does this at its end. Run it by hand if a server could not be reached, after
`dvc pull`, or for the records of another machine. `mdrnets ui` shows the runs.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdrnets.commands.command_line import command_parser
from mdrnets.errors import UserError

if TYPE_CHECKING:
    from mdrnets.tracking.record_store import RecordStore


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("sync", __doc__)
    parser.add_argument("--list", action="store_true", help="print the records and send nothing")
    parser.add_argument(
        "--all",
        action="store_true",
        help="also send what was sent before, for example because the database was deleted",
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="print problems only, and do not fail (used at the end of the workflow)",
    )
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.exchange.logged_models import send_all
    from mdrnets.layout import Layout
    from mdrnets.tracking.mlflow_store import TrackingError, public_uri
    from mdrnets.tracking.record_store import RecordStore
    from mdrnets.tracking.stream import retry_hint

    try:
        config = load_config(options.profile)
        profile = config.name
        records = RecordStore(Layout(profile).records)
        if options.list:
            _print(records)
            return 0
        count = send_all(config, everything=options.all)
    except (TrackingError, UserError) as error:
        hint = retry_hint(error, profile) if isinstance(error, TrackingError) else f"error: {error}"
        print(hint, file=sys.stderr)
        return 0 if options.quiet else 1
    if not options.quiet:
        print(f"{count} records sent to {public_uri()}")
    return 0


def _print(records: "RecordStore") -> None:
    for record in records.all():
        run = record.mlflow.run_id if record.mlflow else "not sent"
        print(
            f"{record.name:40} {record.status:8} {record.started:%Y-%m-%d %H:%M} "
            f"{record.seconds:9.1f} s  {run}"
        )
