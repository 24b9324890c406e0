from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from tests.config.conftest import ROOT


def _paths(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    result = [path] if path else []
    if isinstance(values, dict | list):
        for key in values if isinstance(values, dict) else range(len(values)):
            result += _paths(values[key], (*path, key))
    return result


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


PLACES = [
    (name, path)
    for name in ("params.yaml", "profiles/demo.yaml")
    for path in _paths(read_yaml(name))
]
TEXTS = st.sampled_from(
    [
        "",
        " ",
        "a/b",
        "{x}",
        "{",
        "..",
        "$NOWHERE",
        "holes",
        "full",
        "seed2",
        "ground_truth",
        "é",
        "\n",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), TEXTS, st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=5,
)
REMOVED = object()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(place=("params.yaml", ("profile",)), value="\n", renamed=True)
@given(place=st.sampled_from(PLACES), value=st.just(REMOVED) | VALUES, renamed=st.booleans())
def test_any_value_in_any_place_is_accepted_or_refused(
    configs: Path, place: tuple[str, tuple[Any, ...]], value: Any, renamed: bool
) -> None:
    name, path = place
    values = read_yaml(name)
    branch = values
    for key in path[:-1]:
        branch = branch[key]
    if renamed and isinstance(branch, dict) and isinstance(value, Hashable):
        branch[value] = branch.pop(path[-1])
    elif value is REMOVED:
        del branch[path[-1]]
    else:
        branch[path[-1]] = value
    if REMOVED in branch:
        return
    (configs / name).write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    try:
        list(Pipeline(load_config("demo")).jobs())
    except UserError as error:
        assert "\n" not in str(error)
    finally:
        (configs / name).write_bytes((ROOT / name).read_bytes())
