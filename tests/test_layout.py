from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.layout import Layout

LAYOUT = Layout("smoke")
FILES: dict[str, Callable[[str, str], Path]] = {
    "code": lambda dataset, name: LAYOUT.code,
    "check": lambda dataset, name: LAYOUT.check,
    "raw": lambda dataset, name: LAYOUT.raw(dataset),
    "raw_manifest": lambda dataset, name: LAYOUT.raw_manifest(dataset),
    "weights": lambda dataset, name: LAYOUT.weights(name),
    "weights_manifest": lambda dataset, name: LAYOUT.weights_manifest(name),
    "split": lambda dataset, name: LAYOUT.split(dataset),
    "hole_split": lambda dataset, name: LAYOUT.hole_split(),
    "images": lambda dataset, name: LAYOUT.images(dataset),
    "labels": lambda dataset, name: LAYOUT.labels(dataset),
    "holes": lambda dataset, name: LAYOUT.holes(),
    "assignment": lambda dataset, name: LAYOUT.assignment(dataset),
    "model": LAYOUT.model,
    "history": LAYOUT.history,
    "model_config": LAYOUT.model_config,
    "completions": LAYOUT.completions,
    "raw_outputs": LAYOUT.raw_outputs,
    "memory_use": LAYOUT.memory_use,
    "parsing": LAYOUT.parsing,
    "features": LAYOUT.features,
    "scores": LAYOUT.scores,
    "summary": LAYOUT.summary,
    "validation": LAYOUT.validation,
    "refined_faces": LAYOUT.refined_faces,
    "per_class": lambda dataset, name: LAYOUT.per_class(dataset),
}


def test_no_two_files_are_the_same() -> None:
    paths = [make(dataset, name) for make in FILES.values() for dataset, name in [("a", "b")]]
    paths += [LAYOUT.true_features("a"), LAYOUT.report("table1.csv")]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("name", FILES)
def test_a_file_lies_in_the_profiles_own_folder(name: str) -> None:
    path = FILES[name]("a", "b")
    assert path.parts[:2] == ("runs", "smoke")
    assert ".." not in path.parts


@pytest.mark.parametrize("name", FILES)
def test_wildcards_are_kept(name: str) -> None:
    """As the workflow's rules need it: fill in before or after, it is the same."""
    wild = FILES[name]("{dataset}", "{method}")
    assert Path(str(wild).format(dataset="a", method="b")) == FILES[name]("a", "b")


def test_a_name_with_a_dot_keeps_it() -> None:
    assert LAYOUT.raw_manifest("faces_v1").name == "faces_v1.json"
    assert LAYOUT.model("a", "mdrnets@no_memory").name == "mdrnets@no_memory.safetensors"


def test_what_engines_must_not_touch_lies_apart() -> None:
    outputs = [make("a", "b") for make in FILES.values()]
    for folder in (LAYOUT.states, LAYOUT.records):
        assert not any(path.is_relative_to(folder) for path in outputs)


def test_reports_lie_beside_the_published_ones() -> None:
    assert LAYOUT.report("table1.md") == Path("reports/smoke/table1.md")


def test_raw_input_is_shared_by_all_profiles() -> None:
    assert Layout("a").data("holes") == Layout("b").data("holes") == Path("data/holes.zip")
