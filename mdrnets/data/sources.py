"""Open a source's archive, so that errors name the user's file or folder and not our copy of it."""

import os
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.data.archive import Archive
from mdrnets.layout import Layout


def open_source(config: Config, layout: Layout, name: str) -> Archive:
    """Open the archive of a source of the profile.

    Raises:
        UserError: the archive is missing or unreadable.
    """
    source = config.profile.sources[name]
    if source.path is not None:
        origin = Path(os.path.expandvars(source.path)).expanduser()
    elif source.url:
        origin = (
            Path(os.path.expandvars(config.profile.downloads)).expanduser() / source.downloaded_name
        )
    else:
        origin = layout.data(name)
    return Archive(layout.raw(name), origin=origin)
