"""Read text and JSON that may be missing or damaged."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from mdrnets.errors import UserError

Content = TypeVar("Content")

DAMAGED_TEXT = (UnicodeError, OSError)
"""What reading text raises for a file that is not UTF-8, is a folder, or cannot be read."""
DAMAGED_JSON = (ValueError, RecursionError)
"""What `json` raises: wrong syntax, numbers of thousands of digits, thousands of brackets."""


def read_text(path: Path, *, remedy: str) -> str:
    """Read a UTF-8 file; line ends stay as they are.

    Args:
        path: the file.
        remedy: what to do if it is missing, for error messages, such as `run the pack stage`.

    Raises:
        UserError: the file is missing, not readable or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except DAMAGED_TEXT as error:
        raise unreadable_error(path, error, kind="UTF-8 text", remedy=remedy) from None


def read_json(
    path: Path,
    *,
    remedy: str,
    object_hook: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Any:
    """Read a JSON file; see `read_text`.

    Args:
        path: the file.
        remedy: what to do if it is missing, for error messages.
        object_hook: changes each object when it is read, for example drops parts of it.

    Raises:
        UserError: the file is missing or has other content.
    """
    text = read_text(path, remedy=remedy)
    try:
        return json.loads(text, object_hook=object_hook)
    except DAMAGED_JSON as error:
        raise unreadable_error(path, error, kind="JSON", remedy=remedy) from None


def read_json_as(
    kind: type[Content],
    path: Path,
    *,
    remedy: str,
    object_hook: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Content:
    """Read a JSON file as a type that pydantic knows, such as `Options` or a list of dataclasses.

    The other arguments are those of `read_json`.

    Raises:
        UserError: the file is missing or has other content.
    """
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(kind)
    try:
        if object_hook is None:
            return adapter.validate_json(read_text(path, remedy=remedy))
        content = read_json(path, remedy=remedy, object_hook=object_hook)
        return adapter.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = format_key(first["loc"]) or "content"
        raise UserError(f"{path}: {where}: {first['msg']}; remove it and {remedy}") from None


def format_key(parts: Iterable[str | int]) -> str:
    """Join the parts of a key by dots; a part that is not printable is quoted."""
    texts = map(str, parts)
    return ".".join(text if text.isprintable() else repr(text) for text in texts)


def unreadable_error(
    path: Path | str, error: Exception, *, kind: str, remedy: str, member: str | None = None
) -> UserError:
    """The sentence for a file that is missing or damaged.

    Args:
        path: the file.
        error: what its reader raised.
        kind: what was expected, such as `JSON`.
        remedy: how to get the file, such as `run the pack stage`.
        member: of an archive, that is damaged.
    """
    if isinstance(error, FileNotFoundError):
        return UserError(f"{path}: file not found; {remedy}")
    if isinstance(error, PermissionError):
        return UserError(f"{path}: {error.strerror}; make it readable")
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    where = f"{path}: {member}" if member else str(path)
    return UserError(
        f"{where}: expected {kind}, found a damaged or other file "
        f"({(reason or type(error).__name__)[:200]}); remove it and {remedy}"
    )
