import ast
import importlib
import inspect
import io
import subprocess
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

import mdrnets
from mdrnets.assumptions import CONSTANTS, DECISIONS, LEDGER, OPTIONS, PROTOCOL, Assumption
from mdrnets.methods.mdrnets import coarse, method, parser, reconstruction
from mdrnets.options import Options, TrainOptions

PACKAGE = Path(mdrnets.__file__).parent
# As in `params.yaml`.
NETWORKS: dict[str, type[Options]] = {
    "parser": parser.Options,
    "coarse": coarse.Options,
    "recon": reconstruction.Options,
    "mdrnets": method.Options,
}


def test_names_are_unique() -> None:
    names = [assumption.name for assumption in LEDGER]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("assumption", LEDGER, ids=lambda assumption: assumption.name)
def test_a_record_is_complete_and_points_to_a_file(assumption: Assumption) -> None:
    assert assumption.mark in ("chosen", "cited")
    assert assumption.why
    assert (PACKAGE / assumption.where).is_file()


def test_decisions_are_sentences() -> None:
    assert DECISIONS
    assert all(isinstance(assumption.value, str) for assumption in DECISIONS)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_default_is_the_papers_or_in_the_ledger(network: str) -> None:
    recorded = {assumption.name: assumption for assumption in OPTIONS}
    for name, _, comment in _defaults(NETWORKS[network], prefix=network):
        mark = _mark(comment)
        assert mark, f"{name}: its comment begins with none of paper, chosen, cited"
        if mark == "paper":
            continue
        assert name in recorded, f"{name} is {mark} and not in the ledger"
        assert recorded[name].mark == mark, name


@pytest.mark.parametrize("assumption", OPTIONS, ids=lambda assumption: assumption.name)
def test_a_recorded_option_exists_with_this_default(assumption: Assumption) -> None:
    network = assumption.name.split(".")[0]
    defaults = {name: value for name, value, _ in _defaults(NETWORKS[network], prefix=network)}
    assert _same(defaults[assumption.name], assumption.value)


@pytest.mark.parametrize("assumption", PROTOCOL, ids=lambda assumption: assumption.name)
def test_a_recorded_parameter_stands_in_the_protocol(assumption: Assumption) -> None:
    value = yaml.safe_load((PACKAGE.parent / "params.yaml").read_text(encoding="utf-8"))
    for key in assumption.name.removeprefix("params.").split("."):
        value = value[key]
    assert _same(value, assumption.value)


@pytest.mark.parametrize("assumption", CONSTANTS, ids=lambda assumption: assumption.name)
def test_a_recorded_constant_exists_with_this_value(assumption: Assumption) -> None:
    path = Path(assumption.where).with_suffix("")
    stem, constant = assumption.name.split(".")
    assert stem == path.name
    module = importlib.import_module(".".join(("mdrnets", *path.parts)))
    assert _same(getattr(module, constant), assumption.value)


def test_every_marked_constant_is_in_the_ledger() -> None:
    recorded = {(assumption.name, assumption.where, assumption.mark) for assumption in CONSTANTS}
    for path in _sources():
        for constant, comment in _marked_constants(path.read_text(encoding="utf-8")):
            where = path.relative_to(PACKAGE).as_posix()
            assert (f"{path.stem}.{constant}", where, _mark(comment)) in recorded


def test_the_ledger_is_light() -> None:
    code = "import sys, mdrnets.assumptions; print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert found.stdout.strip() == "False"


# -- the readers of comments, and that they would notice ------------------------------------------


class _Weights(Options):
    small: float = 0.5  # no mark of its own: it follows that of the field that holds it


class _Sample(TrainOptions):
    width: int = Field(default=64, ge=1)  # chosen: a reason
    # cited: this comment belongs to no field
    bare: int = 3
    long: tuple[str, ...] = (
        "a long value, which is on a line of its own",
        "and another, so that the comment is at its end",
    )  # cited: a source
    weights: _Weights = _Weights()  # paper, section 3


def test_a_fields_comment_is_the_one_behind_it() -> None:
    found = {name: _mark(comment) for name, _, comment in _defaults(_Sample, prefix="sample")}
    assert found == {
        "sample.width": "chosen",
        "sample.bare": None,
        "sample.long": "cited",
        "sample.weights.small": "paper",
    }


def test_marked_constants_are_found() -> None:
    source = 'A = 1  # chosen: b\nB: float = 2  # cited: c\nC = 3  # a fact\n_D = "# chosen"\n'
    assert dict(_marked_constants(source)) == {"A": "chosen: b", "B": "cited: c"}


def _defaults(options: type[Options], *, prefix: str) -> Iterator[tuple[str, Any, str]]:
    """Name, default and trailing comment of each option that has a default.

    Options within options count one by one, under the comment of the field that holds them.
    """
    comments = _comments(options)
    for name, field in options.model_fields.items():
        if field.is_required():
            continue
        if isinstance(field.default, Options):
            for inner, value, _ in _defaults(type(field.default), prefix=f"{prefix}.{name}"):
                yield inner, value, comments[name]
        else:
            yield f"{prefix}.{name}", field.default, comments[name]


def _comments(options: type[Options]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(options))
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    return dict(_assignments(source, definition.body))


def _marked_constants(source: str) -> Iterator[tuple[str, str]]:
    for name, comment in _assignments(source, ast.parse(source).body):
        if _mark(comment) in ("chosen", "cited"):
            yield name, comment


def _assignments(source: str, body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Each name that is assigned in this body, with the comment behind it or an empty one."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        assert node.end_lineno is not None
        lines = range(node.lineno, node.end_lineno + 1)
        if isinstance(target, ast.Name):
            yield target.id, next((comments[line] for line in lines if line in comments), "")


def _mark(comment: str) -> str | None:
    word = comment.split(" ")[0].rstrip(":;,")
    return word if word in ("paper", "chosen", "cited") else None


def _sources() -> list[Path]:
    """All files but the baselines', whose own papers are another matter."""
    baselines = PACKAGE / "methods"
    ours = baselines / "mdrnets"
    return [
        path
        for path in PACKAGE.rglob("*.py")
        if ours in path.parents or baselines not in path.parents
    ]


def _same(a: Any, b: Any) -> bool:
    """Equal, and of the same type: 1 is neither 1.0 nor True."""
    return type(a) is type(b) and a == b
