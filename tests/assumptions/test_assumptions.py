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
from mdrnets.assumptions.baselines import (
    BASELINE_CONSTANTS,
    BASELINE_DECISIONS,
    BASELINE_LEDGER,
    BASELINE_OPTIONS,
)
from mdrnets.assumptions.mdrnets import CONSTANTS, DECISIONS, LEDGER, OPTIONS, PROTOCOL, Assumption
from mdrnets.config.options import Options, TrainOptions
from mdrnets.methods import deepfillv2, pconv
from mdrnets.methods.ctsdg import method as ctsdg
from mdrnets.methods.dsi import method as dsi
from mdrnets.methods.ict import method as ict
from mdrnets.methods.mdrnets import coarse, method, parser, reconstruction
from mdrnets.methods.pic import method as pic

PACKAGE = Path(mdrnets.__file__).parent
# As in `params.yaml`.
NETWORKS: dict[str, type[Options]] = {
    "parser": parser.Options,
    "coarse": coarse.Options,
    "recon": reconstruction.Options,
    "mdrnets": method.Options,
}
BASELINES: dict[str, type[Options]] = {
    "pconv": pconv.Options,
    "deepfillv2": deepfillv2.Options,
    "pic": pic.Options,
    "ctsdg": ctsdg.Options,
    "dsi": dsi.Options,
    "ict": ict.Options,
}
# With which the comment of a baseline's option says where its default is from.
SOURCES = ("paper", "official", "authors' advice", "chosen")
EVERYTHING = LEDGER + BASELINE_LEDGER


def test_names_are_unique() -> None:
    names = [assumption.name for assumption in EVERYTHING]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("assumption", EVERYTHING, ids=lambda assumption: assumption.name)
def test_a_record_is_complete_and_points_to_a_file(assumption: Assumption) -> None:
    assert assumption.mark in ("chosen", "cited")
    assert assumption.why
    assert (PACKAGE / assumption.where).is_file()


def test_decisions_are_sentences() -> None:
    assert DECISIONS and BASELINE_DECISIONS
    for assumption in DECISIONS + BASELINE_DECISIONS:
        assert isinstance(assumption.value, str), assumption.name


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


@pytest.mark.parametrize("network", BASELINES)
def test_every_default_of_a_baseline_is_its_authors_or_in_the_ledger(network: str) -> None:
    recorded = {assumption.name for assumption in BASELINE_OPTIONS}
    for name, _, comment in _defaults(BASELINES[network], prefix=network):
        source = _source(comment)
        assert source, f"{name}: its comment has none of {', '.join(SOURCES)}"
        assert (source == "chosen") == (name in recorded), f"{name} is {source}"


def test_all_methods_of_the_protocol_are_read() -> None:
    protocol = yaml.safe_load((PACKAGE.parent / "params.yaml").read_text(encoding="utf-8"))
    without_options = {"biharmonic"}
    assert protocol["methods"].keys() - without_options == BASELINES.keys() | {"mdrnets"}


@pytest.mark.parametrize(
    "assumption", OPTIONS + BASELINE_OPTIONS, ids=lambda assumption: assumption.name
)
def test_a_recorded_option_exists_with_this_default(assumption: Assumption) -> None:
    network = assumption.name.split(".")[0]
    options = (NETWORKS | BASELINES)[network]
    defaults = {name: value for name, value, _ in _defaults(options, prefix=network)}
    assert _same(defaults[assumption.name], assumption.value)


@pytest.mark.parametrize("assumption", PROTOCOL, ids=lambda assumption: assumption.name)
def test_a_recorded_parameter_stands_in_the_protocol(assumption: Assumption) -> None:
    value = yaml.safe_load((PACKAGE.parent / "params.yaml").read_text(encoding="utf-8"))
    for key in assumption.name.removeprefix("params.").split("."):
        value = value[key]
    assert _same(value, assumption.value)


@pytest.mark.parametrize(
    "assumption", CONSTANTS + BASELINE_CONSTANTS, ids=lambda assumption: assumption.name
)
def test_a_recorded_constant_exists_with_this_value(assumption: Assumption) -> None:
    path = Path(assumption.where).with_suffix("")
    stem, constant = assumption.name.split(".")
    assert stem == path.name
    module = importlib.import_module(".".join(("mdrnets", *path.parts)))
    assert _same(getattr(module, constant), assumption.value)


def test_every_marked_constant_is_in_the_ledger() -> None:
    constants = CONSTANTS + BASELINE_CONSTANTS
    recorded = {(assumption.name, assumption.where, assumption.mark) for assumption in constants}
    for path in PACKAGE.rglob("*.py"):
        for constant, comment in _marked_constants(path.read_text(encoding="utf-8")):
            where = path.relative_to(PACKAGE).as_posix()
            assert (f"{path.stem}.{constant}", where, _mark(comment)) in recorded


def test_the_ledger_is_light() -> None:
    code = "import sys, mdrnets.assumptions.baselines; print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert found.stdout.strip() == "False"


# -- the readers of comments, and that they would notice ------------------------------------------


class _Weights(Options):
    small: float = 0.5  # no mark of its own: it follows that of the field that holds it


class _Sample(TrainOptions):
    # cited: a comment above counts less than the one behind
    width: int = Field(default=64, ge=1)  # chosen: a reason
    # cited: but more than none
    under: int = 3
    bare: int = 3
    long: tuple[str, ...] = (
        "a long value, which is on a line of its own",
        "and another, so that the comment is at its end",
    )  # cited: a source
    weights: _Weights = _Weights()  # paper, section 3


class _OwnWeights(Options):
    small: float = 0.5  # official code; a fact


class _Baseline(TrainOptions):
    weights: _OwnWeights = Field(default_factory=_OwnWeights)
    late: int = 3  # not stated; chosen
    scaled: float = 2.0  # official code at 256²; chosen: 1.0 below
    # The official value counts twice.
    above: int = 4
    silent: int = 5


def test_a_fields_comment_is_the_one_behind_it_else_above_it() -> None:
    found = {name: _mark(comment) for name, _, comment in _defaults(_Sample, prefix="sample")}
    assert found == {
        "sample.width": "chosen",
        "sample.under": "cited",
        "sample.bare": None,
        "sample.long": "cited",
        "sample.weights.small": "paper",
    }


def test_the_source_of_a_baselines_option_is_found() -> None:
    found = {name: _source(comment) for name, _, comment in _defaults(_Baseline, prefix="sample")}
    assert found == {
        "sample.weights.small": "official",
        "sample.late": "chosen",
        "sample.scaled": "official",
        "sample.above": "official",
        "sample.silent": None,
    }


def test_marked_constants_are_found() -> None:
    source = 'A = 1  # chosen: b\nB: float = 2  # cited: c\nC = 3  # a fact\n_D = "# chosen"\n'
    assert dict(_marked_constants(source)) == {"A": "chosen: b", "B": "cited: c"}


def _defaults(options: type[Options], *, prefix: str) -> Iterator[tuple[str, Any, str]]:
    """Name, default and trailing comment of each option that has a default.

    Options within options count one by one, under the comment of the field that holds them, or
    where it has none under their own.
    """
    comments = _comments(options)
    for name, field in options.model_fields.items():
        if field.is_required():
            continue
        default = field.get_default(call_default_factory=True)
        if isinstance(default, Options):
            for inner, value, own in _defaults(type(default), prefix=f"{prefix}.{name}"):
                yield inner, value, comments[name] or own
        else:
            yield f"{prefix}.{name}", default, comments[name]


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
    """Each name that is assigned in this body, with the comment behind it, else the line above."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    text = source.splitlines()
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        assert node.end_lineno is not None
        lines = [*range(node.lineno, node.end_lineno + 1)]
        if text[node.lineno - 2].lstrip().startswith("#"):
            lines.append(node.lineno - 1)
        if isinstance(target, ast.Name):
            yield target.id, next((comments[line] for line in lines if line in comments), "")


def _mark(comment: str) -> str | None:
    word = comment.split(" ")[0].rstrip(":;,")
    return word if word in ("paper", "chosen", "cited") else None


def _source(comment: str) -> str | None:
    """The first of `SOURCES` that the comment names."""
    found = [source for source in SOURCES if source in comment]
    return min(found, key=comment.index, default=None)


def _same(a: Any, b: Any) -> bool:
    """Equal, and of the same type: 1 is neither 1.0 nor True."""
    return type(a) is type(b) and a == b
