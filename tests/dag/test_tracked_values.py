"""What decides a number is tracked: changes of the configuration's own code reach the digests."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.load import Config, load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.reporting.claims.finding import BEST, CLASS, GROWS, ORDER

ROOT = Path(__file__).parents[2]


def _digests() -> dict[str, Any]:
    return {
        job.name: (job.command, job.inputs, job.outputs, job.digest)
        for job in Pipeline(load_config("smoke")).jobs()
    }


def _find_changed_jobs(before: dict[str, Any]) -> set[str]:
    after = _digests()
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("seed", lambda seed: seed + 1),
        ("options", lambda options: {**options, "steps": 3}),
    ],
)
def test_a_changed_function_of_the_configuration_changes_the_trainings(
    monkeypatch: pytest.MonkeyPatch, method: str, change: Callable[[Any], Any]
) -> None:
    before = _digests()
    original = getattr(Config, method)
    monkeypatch.setattr(Config, method, lambda self, name: change(original(self, name)))
    trainings = {name for name in before if name.startswith("train")}
    assert trainings and trainings <= _find_changed_jobs(before)


def test_another_training_set_of_a_component_changes_what_uses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = _digests()
    monkeypatch.setattr(Config, "trained_on", lambda self, network, dataset: "elsewhere")
    assert "train_mdrnets rendered_a" in _find_changed_jobs(before)


def test_the_strings_that_enter_seeds_stay_as_they_are() -> None:
    """Another spelling would be another random stream, and other numbers."""
    strings: set[str] = set()
    for path in (ROOT / "mdrnets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "derived_seed":
                constants = (each for each in node.args if isinstance(each, ast.Constant))
                strings |= {str(each.value) for each in constants}
    assert strings == {
        "batch",
        "completion",
        "epoch",
        "inspection",
        "intervals",
        "metric_by_ratio",
        "photo",
        "refinement",
        "start",
        "step",
        "validation",
        "weights",
    }
    assert (BEST, GROWS, ORDER, CLASS) == ("best", "grows", "order", "class")
    networks = set(load_config("smoke").networks)
    assert networks == {"parser", "coarse", "recon", "mdrnets", "mdrnets@without_mrem"}
