"""Read a YAML file as both workflow engines read it, or refuse it.

Snakemake and PyYAML follow YAML 1.1, DVC follows YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).
The two versions read some scalars differently: `02204` is 1156 or 2204, `no` is false or "no". Such
scalars are errors here, and so are duplicate keys, of which a parser would keep the last.
"""

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from mdrnets.errors import UserError

DAMAGED_YAML = (
    yaml.YAMLError,
    RecursionError,  # thousands of brackets
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    TypeError,
)
"""What PyYAML raises: its scanner lets Python's own errors through, such as of `"\\UFFFFFFFF"`."""
_CORE_SCHEMA = {
    "null": re.compile("|~|null|Null|NULL"),
    "bool": re.compile("true|True|TRUE|false|False|FALSE"),
    "int": re.compile("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    "float": re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
}
"""The types of plain scalars in YAML 1.2; anything else is a string."""
_DECIMAL = re.compile(r"([-+]?)(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:[eE]([-+]?)([0-9]+))?")
_MAX_DIGITS = 300
"""Longer numbers are typing errors; Python refuses to parse integers of more than 4,300 digits."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Characters that escapes such as `"\\0"` give, and that no path, title or JSON file can have."""
_MAX_VALUES = 100_000
"""Aliases of aliases make a document of a few lines grow without bounds (`billion laughs`)."""


def load_yaml(path: Path) -> Any:
    """Return the content of a YAML file: mappings, lists, strings, numbers, booleans and None.

    Raises:
        FileNotFoundError: the file does not exist.
        UserError: the file is not UTF-8 or not valid YAML, has a duplicate key, a number that is
            not finite, or a scalar that YAML 1.1 and 1.2 read differently. The message gives file
            and line.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not encoded in UTF-8; save the file as UTF-8") from None
    return parse_yaml(text, path)


def locate(files: Path | Sequence[Path], key: str) -> str:
    """`FILE:LINE: KEY` for error messages, without the line if no file has the key.

    Args:
        files: YAML files that were loaded without an error; the first one that has most of the key
            is named.
        key: keys and indices from the top, joined by dots. If only the first ones are in the
            file, the line is that of the last of these. Empty: the file as a whole.
    """
    places = [(path, *_find(path, key)) for path in ([files] if isinstance(files, Path) else files)]
    path, line, _ = max(places, key=lambda place: place[2])
    where = f"{path}:{line}" if line else str(path)
    return f"{where}: {key}" if key else where


def _find(path: Path, key: str) -> tuple[int, int]:
    """The line of a key, 0 if not even its first part is there, and how much of it is there."""
    node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    rest, line = key, 0
    while rest:
        child = next((c for c in _children(node) if f"{rest}.".startswith(f"{c[0]}.")), None)
        if child is None:
            break
        name, line, node = child
        rest = rest[len(name) + 1 :]
    return line, len(key) - len(rest)


def _children(node: yaml.Node | None) -> Iterator[tuple[str, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, _line(key), value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), _line(value), value


def parse_yaml(text: str, path: Path) -> Any:
    """Return the value of a YAML document.

    Args:
        text: the document.
        path: the file that error messages name.

    Raises:
        UserError: as for `load_yaml`.
    """
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except _RefusedError as error:
        raise UserError(f"{path}:{error.line}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise _invalid(path, mark.line + 1 if mark else None, problem) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = f"U+{int(error.character):04X}"
        raise _invalid(path, line, f"found the control character {character}") from None
    except RecursionError:
        where = loader.get_mark().line + 1 if loader else None
        raise _invalid(path, where, "found too many nested brackets or blocks") from None
    except DAMAGED_YAML as error:
        raise _invalid(path, loader.get_mark().line + 1 if loader else None, str(error)) from None


def _invalid(path: Path, line: int | None, problem: str) -> UserError:
    where = f"{path}:{line}" if line else str(path)
    return UserError(f"{where}: not valid YAML: {' '.join(problem.split())}; correct it")


class _RefusedError(yaml.YAMLError):
    """Valid YAML that is not accepted here."""

    def __init__(self, message: str, node: yaml.Node | yaml.Event) -> None:
        super().__init__(message)
        self.line = _line(node)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without tags, duplicate keys, recursion and ambiguous scalars."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.deep_construct = True  # makes a collection that contains itself an error
        self.sizes: dict[int, int] = {}  # number of values in a node, aliases included, by its id

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if tag := getattr(event, "tag", None):
            raise _RefusedError(
                f"found the tag {tag}, expected none; write strings in quotes", event
            )
        node = super().compose_node(parent, index)
        if node is not None and id(node) not in self.sizes:
            children = [child for _, _, child in _children(node)]
            size = 1 + sum(self.sizes.get(id(child), 1) for child in children)
            if size > _MAX_VALUES:
                raise _RefusedError(f"found more than {_MAX_VALUES:,} values; remove aliases", node)
            self.sizes[id(node)] = size
        return node

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        is_plain: bool = self.peek_event().implicit[0]  # type: ignore[no-untyped-call]
        node = super().compose_scalar_node(anchor)
        if is_plain and (advice := _advice(node.value, node.tag.rpartition(":")[2])):
            text = node.value if len(node.value) <= 40 else f"{node.value[:40]}…"
            raise _RefusedError(f"found {text}, {advice}", node)
        if found := _UNPRINTABLE.search(node.value):
            character = f"U+{ord(found[0]):04X}"
            raise _RefusedError(f"found the control character {character}; remove it", node)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # PyYAML reports it
            if key in lines:
                raise _RefusedError(
                    f"{key}: duplicate key, first in line {lines[key]}; remove one of them",
                    key_node,
                )
            lines[key] = _line(key_node)
        return super().construct_mapping(node, deep=deep)


def _line(node: yaml.Node | yaml.Event) -> int:
    assert node.start_mark is not None  # only nodes that are built by hand have no mark
    return int(node.start_mark.line) + 1


def _advice(text: str, type_1_1: str) -> str | None:
    """What to write instead of a plain scalar; None if YAML 1.1 and 1.2 read the same value."""
    type_1_2 = next((name for name, form in _CORE_SCHEMA.items() if form.fullmatch(text)), "str")
    if "int" in (type_1_1, type_1_2) and len(text) > _MAX_DIGITS:
        return f"expected a number of at most {_MAX_DIGITS} digits; correct it"
    if type_1_1 == type_1_2 == "float" and not _is_finite(text):
        return "expected a finite number; correct it"
    octal = type_1_2 == "int" and re.fullmatch("[-+]?0[0-9]+", text)
    if type_1_1 == type_1_2 and not octal:
        return None
    choices = [f'"{text}"']
    if type_1_1 == "bool":
        choices.append(str(text.lower() in ("yes", "on")).lower())
    elif ":" not in text and (number := _decimal(text)):  # not 1:30, which is 90 in YAML 1.1
        choices.append(number)
    return f"which YAML 1.1 and 1.2 read differently; write {' or '.join(reversed(choices))}"


def _is_finite(text: str) -> bool:
    return text[-1] not in "fFnN" and math.isfinite(float(text))  # `.inf`, `.nan`, `1.0e+400`


def _decimal(text: str) -> str | None:
    """A number in the form that both versions read: `15` for `0o17`, `1.0e-4` for `1e-4`."""
    digits = text.replace("_", "")
    if match := re.fullmatch("([-+]?)0*([0-9]+)", digits):
        return match[1] + match[2]
    if match := _DECIMAL.fullmatch(digits):
        sign, whole, fraction, power_sign, power = match.groups()
        exponent = f"e{power_sign or '+'}{power}" if power else ""
        return f"{sign}{whole or '0'}.{fraction or '0'}{exponent}"
    try:
        return str(int(digits, 0))
    except ValueError:
        return None
