"""The generated pages of the documentation site, and the site itself where MkDocs is installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.config.profile import Profile
from mdrnets.config.protocol import Protocol
from mdrnets.dag.pipeline import Pipeline
from mdrnets.methods.pconv import Options
from workflow.docs_site import on_page_markdown, outputs_page, parameters_page, workflow_map

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_parameter_is_described() -> None:
    page = parameters_page()
    keys = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))
    models = (Protocol, Profile)
    assert {name for model in models for name in model.model_fields} <= keys
    options = {name for name, field in Options.model_fields.items() if not field.is_required()}
    assert options - {"weights"} <= keys and "weights.style" in keys
    assert "Undefined" not in page


def test_every_output_is_listed_with_its_stage() -> None:
    page = outputs_page()
    for stage in Pipeline(load_config("paper")).stages.values():
        for path in stage.outputs:
            assert re.search(rf"`{re.escape(str(path))}` *\| `{stage.name}`", page)


def test_the_map_of_the_readme_is_that_of_the_stages() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{workflow_map()}\n```\n" in text


def test_links_to_files_of_the_project_become_their_names() -> None:
    text = "[`base.py`](../mdrnets/methods/base.py), [costs](paper_scale.md#what-it-costs)"
    assert on_page_markdown(text) == "`base.py`, [costs](paper_scale.md#what-it-costs)"


def test_every_page_is_in_the_contents() -> None:
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert sorted(listed) == sorted(pages | {"parameters.md", "outputs.md"})


@pytest.mark.skipif(shutil.which("mkdocs") is None, reason="needs the package mkdocs")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        check=True,
    )
    assert (tmp_path / "site/parameters/index.html").is_file()
