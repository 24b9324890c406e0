"""Validate values from YAML and requests, and report errors by file, line and key."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mdrnets.config.options import Options
from mdrnets.config.redaction import redact_urls
from mdrnets.config.yaml_loader import locate
from mdrnets.errors import UserError
from mdrnets.files.text import format_key

AnyOptions = TypeVar("AnyOptions", bound=Options)
Place = Callable[[str], str]
"""Gives `FILE:LINE: KEY` for a key, and the file for an empty one; see `locate`."""

RENAMED_KEYS = {
    "parts": "components",
    "completes_with": "inference_uses",
    "ablated": "ablation_base",
    "classwise": "per_class",
    "against": "baseline",
    "fewest_pairs": "min_images",
    "min_pairs": "min_images",
    "others_every": "test_every",
    "stands_for": "published_as",
    "shrink": "downscale",
    "white": "polarity",
}
"""Old keys of params.yaml and the profiles, with their present names."""
RENAMED_VALUES = {"polarity": {"hole": "white_is_hole", "valid": "white_is_valid"}}
"""Old values of a key, with their present names."""
EXPECTED = (
    ("^(be|have) ", ""),
    ("^match pattern", "text of the pattern"),
    ("^(?=greater|less)", "a number "),
    ("^a valid tuple", "a list"),
    ("^a valid string", "text (in quotes, if it looks like a number)"),
    ("^a valid (dictionary.*|mapping)", "keys with values"),
    ("^a valid ", "a "),
    (" after validation.*", ""),
)
"""Patterns in pydantic's messages, and our words for them; applied in this order."""
MAX_SHOWN = 60
"""Characters of a wrong value that its error shows."""
_UNION_TAGS = ("network", "external")
"""Pydantic adds them to the location of an error; they are not keys of the file."""


def validate_options(
    model: type[AnyOptions], values: Any, *, where: Path | str | Place
) -> AnyOptions:
    """Return `values` as an instance of `model`.

    Args:
        model: what is expected.
        values: what the file has, usually a mapping.
        where: the file, or file and key, that error messages name, or a function that gives them
            for a key.

    Raises:
        UserError: a key is unknown or missing, or a value is not accepted. For a YAML file, the
            message has the line of each problem.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        errors = error.errors()
    renamed = {key for key in map(_renamed_key, errors) if key}
    problems = [_describe(e) for e in errors if e["type"] != "missing" or _key(e) not in renamed]
    if isinstance(where, Path) and where.suffix == ".yaml":
        where = partial(locate, where)
    if callable(where):
        raise UserError("; ".join(add_place(problem, where) for problem in problems))
    raise UserError(f"{where}: {'; '.join(problems)}")


def add_place(problem: str, place: Place) -> str:
    """Put file and line before a problem, which begins with its key if it has one."""
    key, colon, rest = problem.partition(": ")
    has_key = colon and "`" not in key
    return f"{place(key)}: {rest}" if has_key else f"{place('')}: {problem}"


def _describe(error: ErrorDetails) -> str:
    key, value = _key(error), error["input"]
    name = key.rpartition(".")[2]
    if new_key := _renamed_key(error):
        new_name = new_key.rpartition(".")[2]
        values = RENAMED_VALUES.get(new_name, {})
        example = f": {values[value]}" if isinstance(value, str) and value in values else ""
        return f"{key}: renamed; write `{new_name}{example}`"
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key"
    if isinstance(value, str) and (new_value := RENAMED_VALUES.get(name, {}).get(value)):
        return f"{key}: found {value!r}, which was renamed; write {new_value}"
    if error["type"] == "missing":
        return f"{key}: missing; add it"
    message = error["msg"].removeprefix("Value error, ")
    if should := re.match(r"\w+ should ", message):  # a message of pydantic itself
        expected = message[should.end() :]
        for form, plain in EXPECTED:
            expected = re.sub(form, plain, expected)
        message = f"found {_shorten(value)}, expected {expected}; correct it"
    return f"{key}: {message}" if key else message


def _shorten(value: Any) -> str:
    text = redact_urls(repr(value))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _key(error: ErrorDetails) -> str:
    loc = [part for part in error["loc"] if part != "[key]"]  # marks a wrong key of a mapping
    if loc[0:1] == ["methods"] and loc[2:3] and loc[2] in _UNION_TAGS:
        del loc[2]
    return format_key(loc)


def _renamed_key(error: ErrorDetails) -> str | None:
    """The present name of an unknown key, with the keys above it."""
    above, dot, name = _key(error).rpartition(".")
    if error["type"] != "extra_forbidden" or name not in RENAMED_KEYS:
        return None
    return f"{above}{dot}{RENAMED_KEYS[name]}"
