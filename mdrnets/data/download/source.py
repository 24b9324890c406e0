"""Get a source of the profile, from its address or from a local file, verified, into the run."""

from pathlib import Path

from mdrnets.config.load import Config, expand
from mdrnets.data.download.cache import check_local, download_verified, require_licence
from mdrnets.data.download.ffhq import download_images, read_metadata
from mdrnets.data.download.publish import (
    Manifest,
    find_local_source,
    publish_archive,
    publish_file,
)
from mdrnets.data.number_lists import read_numbers, select_numbers
from mdrnets.data.progress import ProgressBar
from mdrnets.errors import UserError
from mdrnets.layout import Layout


def get_source(
    config: Config, name: str, *, from_folder: Path | None, progress: ProgressBar
) -> Manifest:
    """Download a source, or find its local file, verify it, and publish it in the run.

    Args:
        config: protocol and profile.
        name: a source of the profile.
        from_folder: where a manually downloaded file lies; None: in the profile's `downloads`.
        progress: shows the progress.

    Raises:
        UserError: its licence is not accepted, it cannot be downloaded or found, or it is not
            what the profile announces.
    """
    source, layout = config.profile.sources[name], Layout(config.name)
    numbers = None if source.numbers is None else read_numbers(Path(source.numbers))
    if source.url:
        path = _download(config, name, numbers, from_folder, progress)
    elif from_folder is None:
        path = find_local_source(source.path, layout.data(name))
        check_local(path, source)
    else:
        raise UserError(
            f"--from-dir: sources.{name} has no `url`, and its `path` gives its location; omit the "
            "option"
        )
    if source.kind == "weights":
        return publish_file(
            path,
            layout.weights(name),
            source=name,
            sha256=source.sha256,
            licence=source.licence,
            progress=progress,
        )
    return publish_archive(
        path,
        layout.raw(name),
        source=name,
        files=source.files,
        sha256=None if source.url else source.sha256,
        licence=source.licence,
        folder="." if source.kind == "ffhq_metadata" else source.folder,
        numbers=numbers,
        downscale=source.downscale,
        progress=progress,
    )


def _download(
    config: Config,
    name: str,
    numbers: frozenset[int] | None,
    from_folder: Path | None,
    progress: ProgressBar,
) -> Path:
    """The verified file of a source with a URL, or the folder of the images that it lists."""
    require_licence(config, name)
    source = config.profile.sources[name]
    folder = expand(config.profile.downloads)
    path = download_verified(source, folder, from_folder=from_folder, progress=progress)
    if source.kind != "ffhq_metadata":
        return path
    images = read_metadata(path)
    if numbers is not None:
        images = select_numbers(images, numbers, name=lambda image: image.name, where=path)
    target = folder / source.downloaded_name
    download_images(images, target, downscale=source.downscale, progress=progress)
    return target
