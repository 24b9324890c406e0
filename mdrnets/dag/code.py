"""Which Python files of this project a stage's result depends on, found by following imports.

Static: files are parsed, not imported, so that the workflow engines start fast.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# They carry values, paths and records from one place to another, and decide no number: what they
# carry is declared as parameters, inputs and outputs.
UNTRACKED_MODULES = (
    "mdrnets.config.load",
    "mdrnets.config.data",
    "mdrnets.config.profile",
    "mdrnets.config.protocol",
    "mdrnets.dag",
    "mdrnets.data.progress",
    "mdrnets.dag.code",
    "mdrnets.errors",
    "mdrnets.files",
    "mdrnets.layout",
    "mdrnets.dag.pipeline",
    "mdrnets.tracking",
    "mdrnets.training.display",
    "mdrnets.execution.command",
)


def python_files(*modules: str) -> tuple[Path, ...]:
    """The files of these modules and of all that they import, without the plumbing; sorted.

    A module that is not in the project (installed elsewhere, or missing) has no file here.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = module_path(module)
        if path is None or module in found or _is_plumbing(module):
            continue
        found[module] = path
        waiting.extend(_imports(path))
    # An empty __init__.py decides nothing.
    return tuple(sorted(path for path in found.values() if path.stat().st_size > 0))


def module_path(module: str) -> Path | None:
    """The module's file relative to the current folder, or None."""
    base = Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path) -> Iterator[str]:
    # What a name refers to depends on the current folder; what a file says does not.
    return (name for name in _names(path.resolve()) if module_path(name) is not None)


@cache
def _names(path: Path) -> tuple[str, ...]:
    """Everything that a file imports and that may be a module."""
    return tuple(_named(ast.parse(path.read_bytes(), filename=str(path))))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # `from package import name`: the name may be a module of its own.
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_plumbing(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in UNTRACKED_MODULES)
