import re

from mdrnets.files.markdown import format_table


def test_a_bar_in_a_text_begins_no_cell() -> None:
    head, _, row = format_table(["a|b", "c"], [["one|two", 3]]).splitlines()
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in (head, row)]
    assert [[cell.strip() for cell in line] for line in cells] == [
        [r"a\|b", "c"],
        [r"one\|two", "3"],
    ]
    assert "one|two" in format_table(["a"], [["one|two"]], form="simple")
