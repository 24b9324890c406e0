"""Check the whole configuration and make the tracking database, before anything runs in parallel.

Writes runs/PROFILE/setup.json: the profile's name and its MLflow experiment, nothing that changes.
"""

import json
import sys
from collections.abc import Sequence

from mdrnets.config import Config, expand
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.tracking.store import TrackingError, experiment_name, open_store
from mdrnets.tracking.stream import later
from mdrnets.training.building import check_networks
from stages.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = stage_parser(__doc__).parse_args(arguments)
    return execute("setup", {}, options.profile, _run)


def _run(run: StageRun) -> None:
    name = run.config.name
    check_sources(run.config)
    check_networks(run.config)
    try:
        with open_store(name) as store:
            run.say(f"tracking: experiment {experiment_name(name)} at {store.uri}")
    except TrackingError as error:
        run.say(later(error))
    stamp = {"profile": name, "experiment": experiment_name(name)}
    write_text(run.layout.setup, json.dumps(stamp, indent=1) + "\n")


def check_sources(config: Config) -> None:
    """Check that every source outside of the project is there.

    Raises:
        UserError: naming the first that is missing, or whose environment variable is not set.
    """
    for name, source in config.profile.sources.items():
        if source.path is not None and not (path := expand(source.path)).exists():
            raise UserError(
                f"{config.path}: sources.{name}.path: {path} does not exist; put the archive of "
                f"{source.files} files there, or correct the path"
            )


if __name__ == "__main__":
    sys.exit(main())
