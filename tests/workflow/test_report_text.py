"""The texts of Snakemake's report, rendered as Snakemake does it."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils.core import publish_parts
from jinja2 import Environment

from mdrnets.reporting.captions import escape_rst

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "workflow" / "report"
HOSTILE = [
    "faces\n\n.. raw:: html\n\n   <script>alert(1)</script>\n",
    "faces\n\n.. raw:: html\n   :file: SECRET\n",
    "faces\n\n.. include:: SECRET\n",
    ".. include:: SECRET",
    "faces\n\n.. image:: javascript:alert(1)\n",
    "`click <javascript:alert(1)>`__",
    "<script>alert(1)</script>",
    "|x|\n\n.. |x| raw:: html\n\n   <script>alert(1)</script>",
    "faces\r\r.. raw:: html\r\r   <script>alert(1)</script>\r",
    "faces\u2028\u2028.. include:: SECRET",
    "{{ snakemake.config }} {% include 'SECRET' %}",
]


def _render(template: str, **report: object) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    snakemake = SimpleNamespace(config={"report": report}, rule="table1")
    rst = Environment().from_string(text).render(snakemake=snakemake)
    return str(publish_parts(rst, writer="html")["body"])


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_configuration_is_markup(text: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("what the file contains")
    shown = escape_rst(text.replace("SECRET", str(secret)))
    for html in (
        _render("workflow.rst", profile="smoke", description=shown, data=[shown]),
        _render("caption.rst", captions={"table1": {"table1": [shown, shown]}}),
    ):
        assert "what the file contains" not in html
        assert not re.search("<(script|img)|href=.javascript|system-message", html)
        assert "SECRET" not in text or str(secret) in html


@pytest.mark.parametrize("text", ["real faces at 64² from $MDRNETS_DATA; *a* `b` c_ |d| [e]_"])
def test_a_text_is_shown_as_it_is(text: str) -> None:
    html = publish_parts(escape_rst(text), writer="html")["body"]
    assert html == f"<p>{text}</p>\n"


def test_every_text_of_the_report_is_escaped() -> None:
    rules = (ROOT / "workflow/rules/report.smk").read_text(encoding="utf-8")
    block = rules[rules.index('config["report"]') : rules.index("report: ")]
    assert block.count("escape_rst(") == 4  # profile, description, data sets, captions
