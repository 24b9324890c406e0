"""The generated pages of the documentation site, and the site itself where MkDocs is installed."""

import inspect
import json
import pydoc
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import mdrnets
from mdrnets.config.load import load_config
from mdrnets.config.profile import Profile
from mdrnets.config.protocol import Protocol
from mdrnets.dag.pipeline import Pipeline
from mdrnets.methods.pconv import Options
from tests.workflow.conftest import Copy
from workflow import docs_site
from workflow.docs_site import (
    example_page,
    on_page_markdown,
    outputs_page,
    parameters_page,
)
from workflow.stage_map import draw_map, mermaid_map, stages_page

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
    keys_of_files, _, _ = page.partition("## Options of networks")
    assert not re.findall(r"^\| `([^`]+)`.*\|\s*\|$", keys_of_files, re.MULTILINE)


def test_every_output_is_listed_with_its_stage() -> None:
    page = outputs_page()
    for stage in Pipeline(load_config("paper")).stages.values():
        for path in stage.outputs:
            assert re.search(rf"`{re.escape(str(path))}` *\| `{stage.name}`", page)


def test_the_map_of_the_readme_is_that_of_the_stages() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{mermaid_map()}\n```\n" in text


def test_every_stage_is_described_and_drawn() -> None:
    programs = {path.stem for path in (ROOT / "stages").glob("*.py")}
    drawing = draw_map().decode()
    unused = {"__init__", "code", "collect"}  # `paper` has no external completions
    for name in programs - unused:
        assert re.search(rf"^\| `{name}` +\| \w", stages_page("map.svg"), re.MULTILINE)
        assert f"<!-- {name} -->" in drawing


def test_the_picture_of_the_readme_is_of_the_reference_run() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (commit,) = re.findall(r"Figure 5 of the profile `demo` \(commit (\w{7})\)", text)
    run = json.loads((ROOT / "reports/reference/demo/run.json").read_text(encoding="utf-8"))
    assert commit in [each[:7] for each in run["commits"]]


def test_links_to_files_of_the_project_become_their_names() -> None:
    text = "[`base.py`](../mdrnets/methods/base.py), [costs](paper_scale.md#what-it-costs)"
    assert on_page_markdown(text) == "`base.py`, [costs](paper_scale.md#what-it-costs)"


def test_every_page_is_in_the_contents() -> None:
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert sorted(listed) == sorted(
        pages | {"parameters.md", "outputs.md", "example.md", "stages.md"}
    )


def _documented() -> set[str]:
    """The last names of what the page of the Python interface documents."""
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    names = set()
    for path in re.findall(r"^::: (\S+)$", text, re.MULTILINE):
        member = pydoc.locate(path)
        assert member is not None, path
        names |= set(dir(member)) if inspect.ismodule(member) else {path.rpartition(".")[2]}
    return names


def test_what_is_public_is_documented() -> None:
    example = (ROOT / "docs/adding_a_method.md").read_text(encoding="utf-8")
    used = re.findall(r"^ *from mdrnets\S* import (.+)$", example, re.MULTILINE)
    own = {"options"}  # a module
    names = {name for names in used for name in names.split(", ")} - own
    assert names and names | set(mdrnets.__all__) <= _documented()


def test_the_example_is_the_report_of_a_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs_site, "EXAMPLE", tmp_path / "demo")
    assert docs_site.EXAMPLE_PAGE not in example_page()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/index.html").write_text("the report")
    assert f"]({docs_site.EXAMPLE_PAGE})" in example_page()
    assert all(data.rendered for data in load_config("demo").profile.datasets.values())


@pytest.mark.skipif(find_spec("mkdocstrings") is None, reason="needs the group docs")
def test_the_site_is_built_without_a_warning(tmp_path: Path, project_copy: Copy) -> None:
    report = project_copy.root / "reports/demo"
    report.mkdir(parents=True)
    (report / "index.html").write_text("<p>the report <a href='table1.md'>beside it</a>")
    (report / "table1.md").write_text("# Table 1")
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=project_copy.root,
        check=True,
    )
    assert "mdrnets.load_method" in (site / "api/index.html").read_text(encoding="utf-8")
    assert (site / "demo_report/table1.md").read_text() == "# Table 1"
    links = [
        (page, link.partition("#")[0])
        for page in site.rglob("*.html")
        for link in re.findall(r"""(?:href|src)=["']([^"']+)["']""", page.read_text("utf-8"))
    ]
    assert len(links) > 100
    for page, link in links:
        if link and not re.match("[a-z]+:", link):
            target = site / link[1:] if link.startswith("/") else page.parent / link
            assert (target / "index.html" if target.is_dir() else target).is_file(), (page, link)
