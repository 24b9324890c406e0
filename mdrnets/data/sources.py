"""Open a source's archive, so that errors name the user's file or folder and not our copy of it."""

from mdrnets.config.load import Config, expand
from mdrnets.data.archive import Archive
from mdrnets.layout import Layout


def open_source(config: Config, layout: Layout, name: str) -> Archive:
    """Open the archive of a source of the profile.

    Raises:
        UserError: the archive is missing or unreadable.
    """
    source = config.profile.sources[name]
    if source.path is not None:
        origin = expand(source.path, required=False)
    elif source.url:
        origin = expand(config.profile.downloads, required=False) / source.downloaded_name
    else:
        origin = layout.data(name)
    return Archive(layout.raw(name), origin=origin)
