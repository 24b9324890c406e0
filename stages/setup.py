"""Make the tracking database and the profile's experiment, before anything runs in parallel.

Writes runs/PROFILE/setup.json: the profile's name and its MLflow experiment, nothing that changes.
"""

import json
import sys
from collections.abc import Sequence

from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.files import write_text
from mdrnets.tracking.store import TrackingError, experiment_name, open_store
from mdrnets.tracking.stream import retry_hint


def main(arguments: Sequence[str] | None = None) -> int:
    options = stage_parser(__doc__).parse_args(arguments)
    return execute("setup", {}, options.profile, _run)


def _run(run: StageRun) -> None:
    name = run.config.name
    try:
        with open_store(name) as store:
            run.say(f"tracking: experiment {experiment_name(name)} at {store.uri}")
    except TrackingError as error:
        run.say(retry_hint(error))
    stamp = {"profile": name, "experiment": experiment_name(name)}
    write_text(run.layout.setup, json.dumps(stamp, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
