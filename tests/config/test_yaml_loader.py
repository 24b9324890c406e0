from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mdrnets.config.yaml_loader import load_yaml, parse_yaml
from mdrnets.errors import UserError

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "params.yaml", *sorted((ROOT / "profiles").glob("*.yaml"))]
PATH = Path("file.yaml")


def _get_error(text: str) -> str:
    with pytest.raises(UserError) as raised:
        parse_yaml(text, PATH)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_shipped_files_have_the_values_that_pyyaml_reads(path: Path) -> None:
    assert load_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("True", True),
        ("-3", -3),
        ("0x1F", 31),
        ("1.0e-4", 1e-4),
        ("1-20", "1-20"),
        ("y", "y"),
        ('"yes"', "yes"),
        ("'02204'", "02204"),
        ("{1: [a, b]}", {1: ["a", "b"]}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
    ],
)
def test_scalars_on_which_the_versions_agree_are_read(text: str, value: object) -> None:
    assert parse_yaml(text, PATH) == value


@pytest.mark.parametrize(
    ("scalar", "replacement"),
    [
        ("02204", "2204"),
        ("08", "8"),
        ("+010", "+10"),
        ("0_17", "17"),
        ("0o17", "15"),
        ("0b11", "3"),
        ("-0x1F", "-31"),
        ("1_000", "1000"),
        ("1_0.5e+3", "10.5e+3"),
        ("1e-4", "1.0e-4"),
        ("1e4", "1.0e+4"),
        ("-.5", "-0.5"),
        ("yes", "true"),
        ("Off", "false"),
        ("1:30", '"1:30"'),
        ("2024-01-31", '"2024-01-31"'),
        ("<<", '"<<"'),
        ("=", '"="'),
    ],
)
def test_scalars_on_which_the_versions_differ_are_refused(scalar: str, replacement: str) -> None:
    message = _get_error(f"first: 1\nkey: {scalar}\n")
    assert message.startswith(f"{PATH}:2: ")
    assert scalar in message and f" {replacement}" in message
    parse_yaml(f"key: {replacement}", PATH)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: {c: 1,\n  c: 2}", 3),
        ("a: 1\nb: 2\na: 3", 3),
        ("a: 1\nb: [1,", 2),
        ("a: 1\n\tb: 2", 2),
        ("a: 1\nb: *nowhere", 2),
        ("a: 1\nb: &x [*x]", 2),
        ("a: 1\n? [b]\n: 2", 2),
        ("a: 1\nb: \x01", 2),
        ('a: 1\nb: "\\UFFFFFFFF"', 2),
        ("a: 1\nb: !!int x", 2),
        ("a: 1\nb: !!python/object:os.system {}", 2),
        (f"a: 1\nb: {'9' * 5000}", 2),
        ("a: 1\n---\nb: 2", 2),
        *((f"a: 1\nb: {number}", 2) for number in (".inf", "-.INF", ".NaN", "1.0e+400")),
    ],
)
def test_invalid_files_are_refused_with_their_line(text: str, line: int) -> None:
    assert _get_error(text).startswith(f"{PATH}:{line}: ")


def test_thousands_of_nested_brackets_are_refused() -> None:
    assert _get_error("a: 1\nb: " + "[" * 5000).startswith(f"{PATH}:2: ")
    assert _get_error("- " * 5000).startswith(f"{PATH}:1: ")


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: 1\nb: é\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.yaml:2: "):
        load_yaml(path)


YAML_LIKE = st.lists(
    st.sampled_from([*"[]{}:,-?&*!|>'\"%@`#\\ \n\t~=<._eExob+0179anytrufls", "\\U", "---", "!x"]),
    max_size=40,
).map("".join)


@given(st.one_of(st.text(), YAML_LIKE))
def test_any_text_is_a_value_or_a_user_error(text: str) -> None:
    with suppress(UserError):
        parse_yaml(text, PATH)
