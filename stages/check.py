"""Check the whole configuration before hours of work depend on it.

Every network is built once with its options, every archive outside of the project must be there,
and the licence of what is downloaded be accepted. Writes runs/PROFILE/check.json: the profile's
name, nothing that changes.
"""

import json
import sys

from mdrnets.config.load import Config, expand
from mdrnets.data.download.cache import require_licence
from mdrnets.errors import UserError
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun
from mdrnets.files import write_text
from mdrnets.methods.building import check_networks


@stage_command()
def main(run: StageRun) -> None:
    check_sources(run.config)
    check_networks(run.config)
    write_text(run.layout.check, json.dumps({"profile": run.config.name}) + "\n")


def check_sources(config: Config) -> None:
    """Check that every source outside of the project is there.

    Raises:
        UserError: naming the first that is missing, whose environment variable is not set, or
            whose licence is not accepted.
    """
    for name, source in config.profile.sources.items():
        require_licence(config, name)
        if source.path is not None and not (path := expand(source.path)).exists():
            raise UserError(
                f"{config.path}: sources.{name}.path: {path} does not exist; put the archive or "
                "folder there, or correct the path"
            )


if __name__ == "__main__":
    sys.exit(main())
