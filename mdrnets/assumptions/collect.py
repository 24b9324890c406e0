"""Collect the entries of the assumption ledger from the marks of options and constants."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any, Literal

from mdrnets.config.marks import Chosen, Cited, Mark, find_mark
from mdrnets.config.options import Options


@dataclass(frozen=True)
class Assumption:
    """One decision that the paper leaves open.

    Attributes:
        name: unique: `network.option`, `file.CONSTANT`, `params.key`, or a few words.
        value: the value at the paper's full size, which a profile may override, or a sentence.
        why: the reason, or the source.
        where: the file under `mdrnets/` in which the value is used.
        mark: `cited`, from a work that the paper cites at that point or from a precedent;
            `chosen`, our own choice.
    """

    name: str
    value: Any
    why: str
    where: str
    mark: Literal["chosen", "cited"] = "chosen"


def collect_options(network: str, options: type[Options]) -> Iterator[Assumption]:
    """Collect the cited and chosen defaults of a network, including nested options."""
    for name, value, mark, module in marked_defaults(options):
        if isinstance(mark, Cited | Chosen):
            yield _assumption(f"{network}.{name}", value, mark, module)


def collect_constants(*modules: ModuleType) -> Iterator[Assumption]:
    """Collect the cited and chosen constants of modules."""
    for module in modules:
        for name, annotation in inspect.get_annotations(module).items():
            mark = find_mark(getattr(annotation, "__metadata__", ()))
            if isinstance(mark, Cited | Chosen):
                path = _path(module.__name__)
                value = getattr(module, name)
                yield _assumption(f"{path.stem}.{name}", value, mark, module.__name__)


def marked_defaults(options: type[Options]) -> Iterator[tuple[str, Any, Mark | None, str]]:
    """Yield name, default, mark and defining module of each option that has a default.

    Nested options are yielded one by one as `outer.inner`. A mark of the outer field overrides
    those of the inner fields.
    """
    for name, field in options.model_fields.items():
        if field.is_required():
            continue
        mark = find_mark(field.metadata)
        default = field.get_default(call_default_factory=True)
        if not isinstance(default, Options):
            yield name, default, mark, options.__module__
            continue
        for inner, _, inner_mark, module in marked_defaults(type(default)):
            value = attrgetter(inner)(default)
            if mark is None:
                yield f"{name}.{inner}", value, inner_mark, module
            else:
                yield f"{name}.{inner}", value, mark, options.__module__


def _assumption(name: str, value: Any, mark: Cited | Chosen, module: str) -> Assumption:
    path = _path(module)
    return Assumption(
        name=name,
        value=value,
        mark="cited" if isinstance(mark, Cited) else "chosen",
        why=mark.source,
        where=str(path.with_name(mark.file) if mark.file else path),
    )


def _path(module: str) -> PurePosixPath:
    """Return the file of a module, relative to `mdrnets/`."""
    return PurePosixPath(*module.split(".")[1:]).with_suffix(".py")
