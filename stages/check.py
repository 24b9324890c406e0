"""Check the whole configuration before hours of computation depend on it.

Builds every network once with its options, and checks that every archive outside of the project
exists, that the licences of downloads are accepted, and that the splits are large enough. Writes
runs/PROFILE/check.json, which contains only the name of the profile and so never changes.
"""

import json
import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun
from mdrnets.files import write_text


@stage_command()
def main(run: StageRun) -> None:
    from mdrnets.planning.preconditions import check_data, check_networks

    check_data(run.config)
    check_networks(run.config)
    write_text(run.layout.check, json.dumps({"profile": run.config.name}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
