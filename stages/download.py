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
from typing import TYPE_CHECKING

from mdrnets.errors import UserError
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun

if TYPE_CHECKING:
    from mdrnets.config.data import Source

logger = logging.getLogger(__name__)


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from-dir", type=Path, metavar="FOLDER", help="the folder of a manually downloaded file"
    )


@stage_command("source", add_options=_add_options)
def main(run: StageRun) -> None:
    from mdrnets.data.download.publish import publish_archive, publish_file
    from mdrnets.data.number_lists import read_numbers

    name = run.wildcards["source"]
    source = run.config.profile.sources[name]
    numbers = None if source.numbers is None else read_numbers(Path(source.numbers))
    path = _get_source(run, name, source, numbers, run.options.from_dir)
    if source.kind == "weights":
        manifest = publish_file(
            path,
            run.layout.weights(name),
            source=name,
            sha256=source.sha256,
            licence=source.licence,
            progress=run.progress,
        )
    else:
        manifest = publish_archive(
            path,
            run.layout.raw(name),
            source=name,
            files=source.files,
            sha256=None if source.url else source.sha256,
            licence=source.licence,
            folder="." if source.kind == "ffhq_metadata" else source.folder,
            numbers=numbers,
            downscale=source.downscale,
            progress=run.progress,
        )
    logger.info(
        "%s: %s files, %s bytes; %s",
        name,
        f"{manifest.files:,}",
        f"{manifest.bytes:,}",
        manifest.licence,
    )


def _get_source(
    run: StageRun,
    name: str,
    source: "Source",
    numbers: frozenset[int] | None,
    from_folder: Path | None,
) -> Path:
    """Return the verified file of a source with a URL, or the path of a local source."""
    from mdrnets.config.load import expand
    from mdrnets.data.download.cache import check_local, download_verified, require_licence
    from mdrnets.data.download.ffhq import download_images, read_metadata
    from mdrnets.data.download.publish import find_local_source
    from mdrnets.data.number_lists import select_numbers

    if not source.url:
        if from_folder is not None:
            raise UserError(
                f"--from-dir: sources.{name} has no `url`, and its `path` gives its location; "
                "omit the option"
            )
        path = find_local_source(source.path, run.layout.data(name))
        check_local(path, source)
        return path

    require_licence(run.config, name)
    folder = expand(run.config.profile.downloads)
    path = download_verified(source, folder, from_folder=from_folder, progress=run.progress)
    if source.kind != "ffhq_metadata":
        return path
    images = read_metadata(path)
    if numbers is not None:
        images = select_numbers(images, numbers, name=lambda image: image.name, where=path)
    target = folder / source.downloaded_name
    download_images(images, target, downscale=source.downscale, progress=run.progress)
    return target


if __name__ == "__main__":
    sys.exit(main())
