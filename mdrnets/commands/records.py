"""Pack the records of a profile (who made what, from which inputs) for DVC, or unpack them.

`make record` packs them into records/PROFILE.zip, which DVC tracks beside the results; after
`dvc pull`, `make restore` unpacks those of files that are here. RecordStore of this machine's own
executions stay.
"""

import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.execution.command import handle_user_errors, stage_parser
from mdrnets.layout import Layout
from mdrnets.tracking.bundle import pack, unpack
from mdrnets.tracking.record import RecordStore


@handle_user_errors
def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("action", choices=("pack", "unpack"))
    options = parser.parse_args(arguments)
    layout = Layout(load_config(options.profile).name)
    records = RecordStore(layout.records)
    if options.action == "pack":
        print(f"{layout.bundle}: {pack(records, layout.bundle)} records")
    else:
        print(f"{layout.records}: {unpack(layout.bundle, records)} records restored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
