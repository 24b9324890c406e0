"""Parts of a Markdown page that a program writes, in a page that is written by hand.

Each is between the lines `<!-- KIND: NAME -->` and `<!-- end of the KIND -->`.
"""

import re
from collections.abc import Callable
from pathlib import Path

from mdrnets.errors import UserError


def replace_blocks(text: str, kind: str, write: Callable[[str], str], *, where: Path) -> str:
    """Write every block of a kind anew.

    Args:
        text: of the page.
        kind: of the blocks.
        write: name of a block → its text, which ends with a line break.
        where: the page, for errors.

    Raises:
        UserError: the page has no such block.
    """
    first, last = f"<!-- {kind}: NAME -->", f"<!-- end of the {kind} -->"
    head = re.escape(first).replace("NAME", r"(?P<name>[\w-]+)")
    block = re.compile(rf"(?P<head>{head}\n).*?(?P<tail>{re.escape(last)})", re.S)
    if not block.search(text):
        raise UserError(f"{where}: found no {kind}; add the lines `{first}` and `{last}`")
    return block.sub(lambda match: match["head"] + write(match["name"]) + match["tail"], text)
