import ast
from pathlib import Path

import pytest

from tests.mutation.mutations import (
    MUTATIONS,
    ROOT,
    Mutation,
    break_line,
    copy_project,
    run_tests,
)

FAILED = 1
"""pytest's exit code if a test failed; others mean that none was found or run."""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_line_and_its_test_are_there(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    file, _, name = mutation.test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy_project(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_tests_pass_in_a_copy(project: Path) -> None:
    assert run_tests(project, sorted({mutation.test for mutation in MUTATIONS})) == 0


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_line_is_noticed(project: Path, mutation: Mutation) -> None:
    break_line(project, mutation)
    assert run_tests(project, [mutation.test]) == FAILED
