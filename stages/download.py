"""Fetch a source: check its archive or folder, copy it into the run, and note what it is.

Writes runs/PROFILE/raw/SOURCE.zip, flat names, every member's checksum tested; and SOURCE.json:
source, licence, files, bytes, sha256. Does nothing when the same files are there already.
"""

import sys
from collections.abc import Sequence

from mdrnets.data.sources import fetch, locate
from stages.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("source", help="a source of the profile")
    options = parser.parse_args(arguments)
    return execute("download", {"source": options.source}, options.profile, _run)


def _run(run: StageRun) -> None:
    name = run.wildcards["source"]
    source = run.config.profile.sources[name]
    manifest = fetch(
        locate(source.path, run.layout.data(name)),
        run.layout.raw(name),
        source=name,
        files=source.files,
        sha256=source.sha256,
        licence=source.licence,
        progress=run.progress,
    )
    run.say(f"{name}: {manifest.files:,} files, {manifest.bytes:,} bytes; {manifest.licence}")


if __name__ == "__main__":
    sys.exit(main())
