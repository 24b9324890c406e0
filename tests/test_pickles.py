"""No reader of the project executes what a file contains."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("mdrnets", "stages") for path in (ROOT / folder).rglob("*.py"))
UNSAFE = {
    "joblib.load",
    "marshal.load",
    "marshal.loads",
    "pd.read_pickle",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "yaml.full_load",
    "yaml.unsafe_load",
}


def _unsafe_calls(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if _is_unsafe(call)]


def _is_unsafe(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name == "torch.load":
        return options.get("weights_only") != "True"
    if name in ("np.load", "numpy.load"):
        return options.get("allow_pickle", "False") != "False"
    return name in UNSAFE


@pytest.mark.parametrize(
    "call",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pickle.load(file)",
    ],
)
def test_an_unsafe_call_is_noticed(call: str) -> None:
    assert _unsafe_calls(f"def read():\n    return {call}") == [call]


def test_files_are_read_without_pickles_that_run_code() -> None:
    result = {str(path): _unsafe_calls(path.read_text(encoding="utf-8")) for path in FILES}
    assert {path: calls for path, calls in result.items() if calls} == {}
