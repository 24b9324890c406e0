"""Which files of this project decide a job's result, and one digest of them all.

Python files are found by following imports, those inside functions included. They are parsed, not
imported, so that the workflow engines start fast.
"""

import ast
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files.text import unreadable_error

UNTRACKED_MODULES = (
    "mdrnets.config.data",
    "mdrnets.config.load",
    "mdrnets.config.network_id",
    "mdrnets.config.profile",
    "mdrnets.config.profile_files",
    "mdrnets.config.protocol",
    "mdrnets.config.yaml_loader",
    "mdrnets.dag",
    "mdrnets.data.progress",
    "mdrnets.errors",
    "mdrnets.execution",
    "mdrnets.layout",
    "mdrnets.tracking",
    "mdrnets.training.display",
)
"""Modules that only carry values, paths and records.

What the configuration's modules compute is part of a job's parameters, as the resolved values, and
what `dag` and `layout` compute are its inputs, outputs and command; so an edit that changes one of
these changes the job, and any other edit re-runs nothing. The rest reports what a job does. A test
changes each function that computes something, and expects changed jobs. Constants that decide
results are in `mdrnets.config.constants`, which is tracked.
"""


def python_files(*modules: str) -> tuple[Path, ...]:
    """The files of these modules and of all that they import, without untracked modules; sorted.

    A module that is not in the project (installed elsewhere, or missing) has no file here.

    Raises:
        UserError: a file is not valid Python.
    """
    files = _follow_imports(modules, skip=_is_untracked).values()
    # An empty __init__.py has no effect.
    return tuple(sorted(path for path in files if path and path.stat().st_size > 0))


def imported_packages(*modules: str) -> set[str]:
    """Packages outside the project and the standard library that these modules import.

    They are followed through all of the project's modules. Returns the names to import them by.
    """
    files = _follow_imports(modules, skip=lambda module: False)
    packages = {module.partition(".")[0] for module, path in files.items() if path is None}
    return {p for p in packages if not Path(p).is_dir() and p not in sys.stdlib_module_names}


def _follow_imports(
    modules: Iterable[str], *, skip: Callable[[str], bool]
) -> dict[str, Path | None]:
    """These modules and all that they import, with their files; None for one outside the project.

    Args:
        modules: where to begin.
        skip: whether to leave out a module, and what only it imports.
    """
    folder = Path.cwd()
    files: dict[str, Path | None] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in files and not skip(module):
            files[module], imported = _read_module(folder, module)
            waiting.extend(imported)
    return files


def module_path(module: str) -> Path | None:
    """The module's file relative to the current folder, or None."""
    base = Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def file_digests(files: Iterable[Path]) -> dict[str, str]:
    """The SHA-256 of files of code by their names, as they were when the process first asked."""
    folder = Path.cwd()
    return {path.as_posix(): _sha256(folder, path) for path in files}


def code_digest(files: Iterable[Path]) -> str:
    """Sixteen hexadecimal digits that change with the name or the content of any of the files."""
    listing = "".join(f"{name}\0{digest}\n" for name, digest in file_digests(files).items())
    return text_digest(listing)


def text_digest(text: str) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _sha256(folder: Path, path: Path) -> str:
    # Cached, so that the digest is that of the code with which the process began.
    try:
        return hashlib.sha256((folder / path).read_bytes()).hexdigest()
    except OSError as error:
        remedy = "restore it, or correct the key of the profile that names it"
        raise unreadable_error(path, error, kind="a readable file", remedy=remedy) from None


@cache
def _read_module(folder: Path, module: str) -> tuple[Path | None, tuple[str, ...]]:
    """A module's file in the current folder, or None, and the names that it imports."""
    path = module_path(module)
    if path is None:
        return None, ()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
        names = [resolve_name(name, package) for name in _imports(tree.body)]
    except (SyntaxError, ValueError, ImportError) as error:
        raise UserError(f"{path}: Python cannot import it: {error}; correct it") from None
    return path, tuple(dict.fromkeys(names))


def _imports(body: Iterable[ast.AST]) -> Iterator[str]:
    """Everything that statements import and that may be a module; relative names begin with `.`."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from package import name`: the name may be a module of its own.
            base = "." * node.level + (node.module or "")
            yield base
            package = f"{base}." if node.module else base
            yield from (package + alias.name for alias in node.names)
        else:  # expressions, most of a tree, contain no imports
            for field in ("body", "handlers", "orelse", "finalbody", "cases"):
                yield from _imports(getattr(node, field, ()))


@cache
def _is_untracked(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in UNTRACKED_MODULES)
