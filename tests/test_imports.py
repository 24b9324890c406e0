"""Imports go down only: no room of the package knows one above it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    ("mdrnets.errors", "mdrnets.files", "mdrnets.layout"),
    ("mdrnets.runtime",),
    ("mdrnets.config",),
    ("mdrnets.dag", "mdrnets.data", "mdrnets.tracking"),
    ("mdrnets.losses", "mdrnets.metrics", "mdrnets.networks"),
    ("mdrnets.methods",),
    ("mdrnets.assumptions", "mdrnets.evaluation", "mdrnets.training"),
    ("mdrnets.exchange", "mdrnets.planning", "mdrnets.reporting"),
    ("mdrnets.execution",),
    ("mdrnets.demo",),
    ("mdrnets.commands", "mdrnets.__main__", "stages"),
)
"""From the lowest floor to the highest; a room may import its own floor and those below."""


def _floor(module: str) -> int | None:
    for number, rooms in enumerate(FLOORS):
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return None


def _imports(path: Path) -> Iterator[str]:
    """Everything that a file imports, inside functions as well."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _upward_imports(root: Path) -> list[str]:
    upward = []
    for path in sorted([*(root / "mdrnets").rglob("*.py"), *(root / "stages").rglob("*.py")]):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        here = _floor(module.removesuffix(".__init__"))
        for name in _imports(path):
            there = _floor(name)
            if here is not None and there is not None and there > here:
                upward.append(f"{module} imports {name}")
    return upward


def test_no_module_imports_a_higher_one() -> None:
    assert _upward_imports(ROOT) == []


def test_every_module_has_a_floor() -> None:
    modules = [path.relative_to(ROOT) for path in (ROOT / "mdrnets").rglob("*.py")]
    names = {".".join(path.with_suffix("").parts) for path in modules if path.name != "__init__.py"}
    assert {name for name in names if _floor(name) is None} == set()


@pytest.mark.parametrize("code", ["from mdrnets.methods import base", "def f():\n import stages.x"])
def test_a_planted_import_is_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "mdrnets/losses").mkdir(parents=True)
    (tmp_path / "mdrnets/losses/planted.py").write_text(code)
    (result, *_) = _upward_imports(tmp_path)
    assert result.startswith("mdrnets.losses.planted imports ")
