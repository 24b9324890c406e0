from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.reporting.blocks import replace_blocks

TEXT = """Before.
<!-- table: first -->
old
<!-- end of the table -->
Between.
<!-- table: second_one -->
<!-- end of the table -->
<!-- figure: third -->
kept
<!-- end of the figure -->
"""


def test_only_the_blocks_of_the_kind_are_written_anew() -> None:
    new = replace_blocks(TEXT, "table", lambda name: f"\\1 of {name}\n", where=Path("PAGE.md"))
    assert new == TEXT.replace("old\n", "\\1 of first\n").replace(
        "second_one -->\n", "second_one -->\n\\1 of second_one\n"
    )
    assert replace_blocks(new, "table", lambda name: f"\\1 of {name}\n", where=Path()) == new


@pytest.mark.parametrize("text", ["", "<!-- table: first -->\nwithout an end\n"])
def test_a_page_without_blocks_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(UserError, match=r"^PAGE\.md: .*<!-- table: NAME -->"):
        replace_blocks(text, "table", str.upper, where=Path("PAGE.md"))
