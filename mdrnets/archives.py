"""Members of zip archives that do not tell when or where they were packed: equal bytes, again."""

import zipfile

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip archive can hold."""


def plain_member(name: str) -> zipfile.ZipInfo:
    """A file, for `ZipFile.writestr`."""
    member = zipfile.ZipInfo(name, EARLIEST)
    member.create_system = 3  # Unix, wherever it is packed
    member.external_attr = 0o644 << 16
    return member
