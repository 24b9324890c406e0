"""Fetch a source: find or download its file, check it, and bring it into the run.

Writes runs/PROFILE/raw/SOURCE.zip, flat names, every member's checksum tested; or, of a network's
weights, runs/PROFILE/weights/SOURCE.pth; and beside it SOURCE.json: source, licence, files, bytes,
sha256. Does nothing when the same files are there already.

A download goes to the profile's folder `downloads`, says before it starts how many bytes it
fetches, and goes on where it was interrupted. Files that were got by hand belong into that folder,
under the names that the messages give, or into any folder that `--from-dir` names.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from mdrnets.config.data import Source
from mdrnets.config.load import expand
from mdrnets.data.download.cache import download_verified, require_licence
from mdrnets.data.download.ffhq import fetch_images, read_metadata
from mdrnets.data.download.publish import fetch, locate, publish
from mdrnets.errors import UserError
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from-dir", type=Path, metavar="FOLDER", help="where a manually downloaded file lies"
    )


@stage_command("source", add_options=_add_options)
def main(run: StageRun) -> None:
    name = run.wildcards["source"]
    source = run.config.profile.sources[name]
    path = _find(run, name, source, run.options.from_dir)
    if source.kind == "weights":
        manifest = publish(
            path,
            run.layout.weights(name),
            source=name,
            sha256=source.sha256,
            licence=source.licence,
            progress=run.progress,
        )
    else:
        manifest = fetch(
            path,
            run.layout.raw(name),
            source=name,
            files=source.files,
            sha256=None if source.url else source.sha256,
            licence=source.licence,
            folder="." if source.kind == "ffhq_metadata" else source.folder,
            shrink=source.shrink,
            progress=run.progress,
        )
    run.say(f"{name}: {manifest.files:,} files, {manifest.bytes:,} bytes; {manifest.licence}")


def _find(run: StageRun, name: str, source: Source, from_folder: Path | None) -> Path:
    """The verified file of a source that has an address; else what lies at its path."""
    if not source.url:
        if from_folder is not None:
            raise UserError(
                f"--from-dir: sources.{name} has no `url`; its `path` says where its file is"
            )
        return locate(source.path, run.layout.data(name))

    require_licence(run.config, name)
    folder = expand(run.config.profile.downloads)
    path = download_verified(
        source, folder, from_folder=from_folder, progress=run.progress, say=run.say
    )
    if source.kind != "ffhq_metadata":
        return path
    images = folder / (path.stem if source.shrink is None else f"{path.stem}_{source.shrink}")
    fetch_images(
        read_metadata(path), images, shrink=source.shrink, progress=run.progress, say=run.say
    )
    return images


if __name__ == "__main__":
    sys.exit(main())
