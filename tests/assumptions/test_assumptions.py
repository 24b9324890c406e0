import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml

import mdrnets
from mdrnets.assumptions.baselines import BASELINE_DECISIONS, BASELINE_LEDGER
from mdrnets.assumptions.collect import (
    Assumption,
    collect_constants,
    collect_options,
    marked_defaults,
)
from mdrnets.assumptions.mdrnets import DECISIONS, LEDGER, PROTOCOL
from mdrnets.assumptions.profiles import find_note
from mdrnets.config.marks import Chosen, Cited, Official, Paper
from mdrnets.config.options import Options, TrainOptions
from mdrnets.networks import spade
from tests.helpers.project import ROOT
from tests.helpers.tiny import ENTRIES, PARAMS, TRAINED

PACKAGE = Path(mdrnets.__file__).parent
MARKED_CONSTANT = r"^([A-Z_\d]+): Annotated\[[^=]*?(?:Cited|Chosen)\("
EVERYTHING = LEDGER + BASELINE_LEDGER
PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))


def test_names_are_unique() -> None:
    names = [assumption.name for assumption in EVERYTHING]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("assumption", EVERYTHING, ids=lambda assumption: assumption.name)
def test_an_entry_is_complete_and_names_an_existing_file(assumption: Assumption) -> None:
    assert assumption.why
    assert (PACKAGE / assumption.where).is_file()


def test_decisions_are_sentences() -> None:
    assert DECISIONS and BASELINE_DECISIONS
    for assumption in DECISIONS + BASELINE_DECISIONS:
        assert isinstance(assumption.value, str), assumption.name


@pytest.mark.parametrize("network", TRAINED)
def test_every_default_is_marked_and_in_the_ledger(network: str) -> None:
    ledger = {assumption.name for assumption in EVERYTHING}
    options = importlib.import_module(ENTRIES[network]["module"]).Options
    for name, _, mark, _ in marked_defaults(options):
        assert mark is not None, f"{name} has no mark"
        assert isinstance(mark, Cited | Chosen) == (f"{network}.{name}" in ledger), name


def test_every_marked_constant_is_in_the_ledger() -> None:
    ledger = {assumption.name for assumption in EVERYTHING}
    for path in PACKAGE.rglob("*.py"):
        marked = re.findall(MARKED_CONSTANT, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert {f"{path.stem}.{constant}" for constant in marked} <= ledger, path


@pytest.mark.parametrize("assumption", PROTOCOL, ids=lambda assumption: assumption.name)
def test_a_listed_parameter_has_the_value_of_the_protocol(assumption: Assumption) -> None:
    value = PARAMS
    for key in assumption.name.removeprefix("params.").split("."):
        value = value[key]
    assert value == assumption.value


def _find_undocumented(profile: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The options of networks that leave their defaults without a line in a ledger."""
    ledger = {assumption.name for assumption in EVERYTHING}
    result = set()
    for network, values in profile.items():
        options = importlib.import_module(ENTRIES[network]["module"]).Options
        defaults = {name: default for name, default, _, _ in marked_defaults(options)}
        for name, value in _leaves(values):
            default = defaults.get(name)
            same = value == (list(default) if isinstance(default, tuple) else default)
            is_listed = f"{network}.{name}" in ledger or find_note(network, name)
            if not (same or is_listed):
                result.add(f"{network}.{name}")
    return result


def _leaves(values: Mapping[str, Any], outer: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{outer}{name}.")
        else:
            yield f"{outer}{name}", value


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_no_decision_stands_only_in_a_profile(path: Path) -> None:
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert _find_undocumented(profile.get("networks", {})) == set()


def test_an_option_that_only_a_profile_decides_is_found() -> None:
    networks = {"ict": {"chunk": 2, "temperature": 0.9, "weights": {"l1": 1.0, "content": 3.0}}}
    assert _find_undocumented(networks) == {"ict.temperature", "ict.weights.content"}


class _Weights(Options):
    small: Annotated[float, Chosen("small reason")] = 0.5


class _Sample(TrainOptions):
    width: Annotated[int, Cited("a source", "spade.py")] = 64
    depth: Annotated[int, Paper()] = 3
    slope: Annotated[float, Official("code")] = 0.2
    own: _Weights = _Weights()
    borrowed: Annotated[_Weights, Cited("another work")] = _Weights(small=0.25)
    published: Annotated[_Weights, Paper()] = _Weights()


def test_cited_and_chosen_defaults_are_collected() -> None:
    folder = Path(*__name__.split(".")[1:])
    here = folder.with_suffix(".py").as_posix()
    assert list(collect_options("net", _Sample)) == [
        Assumption("net.width", 64, "a source", folder.with_name("spade.py").as_posix(), "cited"),
        Assumption("net.own.small", 0.5, "small reason", here),
        Assumption("net.borrowed.small", 0.25, "another work", here, "cited"),
    ]


def test_cited_and_chosen_constants_are_collected() -> None:
    assert list(collect_constants(spade)) == [
        Assumption("spade.SLOPE", 0.2, "SPADE", "networks/spade.py", "cited")
    ]
