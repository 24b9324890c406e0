"""Check the whole configuration before hours of computation depend on it.

Builds every network once with its options, and checks that every archive outside of the project
exists and that the licences of downloads are accepted. Writes runs/PROFILE/check.json, which
contains only the name of the profile and so never changes.
"""

import json
import sys
from typing import TYPE_CHECKING

from mdrnets.errors import UserError
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun
from mdrnets.files import write_text

if TYPE_CHECKING:
    from mdrnets.config.load import Config


@stage_command()
def main(run: StageRun) -> None:
    from mdrnets.methods.building import check_networks

    check_sources(run.config)
    check_networks(run.config)
    write_text(run.layout.check, json.dumps({"profile": run.config.name}) + "\n")


def check_sources(config: "Config") -> None:
    """Check that every source outside of the project exists and that licences are accepted.

    Raises:
        UserError: a file or an environment variable is missing, or a licence is not accepted.
    """
    from mdrnets.config.load import expand
    from mdrnets.data.download.cache import require_licence

    for name, source in config.profile.sources.items():
        require_licence(config, name)
        if source.path is not None and not (path := expand(source.path)).exists():
            raise UserError(
                f"{config.path}: sources.{name}.path: {path} not found; put the archive or folder "
                "there, or correct the path"
            )


if __name__ == "__main__":
    sys.exit(main())
