import re

import pytest

from mdrnets.reporting.tables.latex import escape, to_latex
from mdrnets.reporting.tables.metrics import table1_metrics
from tests.helpers.example import build_example_table, make_config


@pytest.fixture(scope="module")
def text() -> str:
    table = build_example_table(table1_metrics("effnet-lite0"))
    return to_latex(
        table,
        title="Table 1",
        label="table1",
        facts=[("Profile", make_config().profile.description), ("Size", "64×64")],
        legend="here: 95% interval ±; σ, –.",
        notes=["by set_a #1 {x} $ ~ ^ \\"],
    )


def test_environments_and_braces_are_balanced(text: str) -> None:
    open_environments = []
    for kind, name in re.findall(r"\\(begin|end)\{([^}]*)\}", text):
        if kind == "begin":
            open_environments.append(name)
        else:
            assert open_environments.pop() == name
    assert not open_environments
    assert text.count(r"\begin{tabular}") == 2

    depth = 0
    for character in re.sub(r"\\[\\{}%&#_$]", "", text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0


def test_every_row_has_all_columns(text: str) -> None:
    assert text.count(r"\begin{tabular}{ll" + "r" * 12 + "}") == 2
    for line in (line for line in text.splitlines() if line.endswith(r"\\")):
        spans = [int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
        assert len(re.findall(r"(?<!\\)&", line)) + sum(spans) == 13


def test_it_is_plain_ascii_without_special_characters(text: str) -> None:
    assert text.isascii()
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert not re.search(r"(?<!\\)[#_^~]", body)
    unescaped = re.findall(r"(?<!\\)%.*", body)
    assert unescaped == ["%"] * 2  # the ends of the lines before the tabulars
    assert len(re.findall(r"(?<!\\)\$", body)) % 2 == 0


def test_rules_are_booktabs(text: str) -> None:
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(rf"\{rule}") == 2
    assert r"\hline" not in text


def test_rows_are_ours_then_the_papers(text: str) -> None:
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("PConv"))
    assert lines[start].startswith(r"PConv & here & \textbf{1.000 $\pm$ 0.200}")
    assert lines[start + 1].startswith(" & paper & 1.131 & 2.311 & 4.363 & FID 12.716")
    assert lines[start + 2].startswith("ICT & here: not run in this profile & --- & ---")


def test_it_is_one_table_that_names_its_data(text: str) -> None:
    assert text.count(r"\begin{table*}") == text.count(r"\caption{Table 1, ") == 1
    assert r"\label{tab:table1}" in text
    for data, published in (("A", "CelebA-HQ"), ("B", "FFHQ")):
        assert rf"\textbf{{Rendered faces {data}, beside the paper's {published}}}" in text
    assert "Profile: rendered faces, small \\& quick. Size: 64$\\times$64." in text


def test_plain_text_is_escaped() -> None:
    assert escape("50 % of a_b & {c}") == r"50 \% of a\_b \& \{c\}"
    assert escape("\\^~") == r"\textbackslash{}\textasciicircum{}\textasciitilde{}"
