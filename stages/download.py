"""Download a source, or find its local file, verify it, and copy it into the run.

Writes runs/PROFILE/raw/SOURCE.zip, a flat archive whose files are verified, or, for the weights of
a network, runs/PROFILE/weights/SOURCE.pth; and next to it SOURCE.json: source, licence, files,
bytes, sha256.

Downloads go to the folder `downloads` of the profile. The size is logged before a download starts,
and an interrupted download is resumed. Put manually downloaded files into that folder, under the
names that the messages give, or into any folder and pass it with `--from-dir`.
"""

import logging
import sys
from argparse import ArgumentParser
from pathlib import Path

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun

logger = logging.getLogger(__name__)


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from-dir", type=Path, metavar="FOLDER", help="the folder of a manually downloaded file"
    )


@stage_command("source", add_options=_add_options)
def main(run: StageRun) -> None:
    from mdrnets.data.download.source import get_source

    name = run.wildcards["source"]
    manifest = get_source(run.config, name, from_folder=run.options.from_dir, progress=run.progress)
    logger.info(
        "%s: %s files, %s bytes; %s",
        name,
        f"{manifest.files:,}",
        f"{manifest.bytes:,}",
        manifest.licence,
    )


if __name__ == "__main__":
    sys.exit(main())
