"""Read a profile: its file, and those of the profiles that it extends.

A profile may begin with `extends: NAME`. It then has all keys of that profile that it does not give
itself. Its `networks` are merged with those of that profile, option by option; every other key
replaces the extended one as a whole.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mdrnets.config.protocol import PROFILE_NAME
from mdrnets.config.yaml_loader import load_yaml, locate
from mdrnets.errors import UserError

PROFILES = Path("profiles")
RESERVED = ("published", "reference")
"""Folders of `reports/` that belong to no profile."""
_EXTENDS = "extends"
_MERGED = "networks"


def read_profile(name: str) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Return the keys of a profile, and the files that give them, its own first.

    Raises:
        UserError: there is no such profile, its name is reserved, a file is invalid, or profiles
            extend each other in a circle.
    """
    path = _find_file(name)
    values, files = _load_keys(path), [path]
    while _EXTENDS in values:
        base = values.pop(_EXTENDS)
        if not isinstance(base, str):
            key = locate(files[-1], _EXTENDS)
            raise UserError(f"{key}: found {base!r}, expected the name of a profile; correct it")
        path = _find_file(base, extended_by=files[-1])
        if path in files:
            key = locate(files[-1], _EXTENDS)
            raise UserError(f"{key}: {base} extends this profile; remove one of the two")
        files.append(path)
        kept = {k: v for k, v in _load_keys(path).items() if k not in values or k == _MERGED}
        values = merge(kept, values)
    return values, tuple(files)


def locate_key(files: Sequence[Path], key: str) -> str:
    """`FILE:LINE: KEY` of a key of a profile, for error messages; see `locate`."""
    first = key.partition(".")[0]
    if first != _MERGED:
        files = [next((path for path in files if first in _load_keys(path)), files[0])]
    return locate(files, key)


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` updated by `changes`; nested mappings are merged."""
    merged = dict(values)
    for key, change in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(change, Mapping)
        merged[key] = merge(old, change) if both else change  # type: ignore[arg-type]
    return merged


def _find_file(name: str, extended_by: Path | None = None) -> Path:
    path = PROFILES / f"{name}.yaml"
    # The name becomes a part of paths, so it is checked before the file is looked for.
    if not re.fullmatch(PROFILE_NAME, name) or not path.is_file():
        names = ", ".join(sorted(p.stem for p in PROFILES.glob("*.yaml"))) or "none"
        place = f"{locate(extended_by, _EXTENDS)}: " if extended_by else ""
        raise UserError(f"{place}{path}: profile not found; choose one of: {names}")
    if name in RESERVED:
        raise UserError(
            f"{path}: reports/{name}/ would hold the reports of this profile, but the project "
            "keeps other files there; rename the profile"
        )
    return path


def _load_keys(path: Path) -> dict[str, Any]:
    values = load_yaml(path)
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected keys with values, such as those of profiles/demo.yaml")
    return values
