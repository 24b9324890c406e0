"""The page as a file: complete, self-contained, escaped, and made of what the stages made."""

import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from mdrnets.assumptions.mdrnets import LEDGER
from mdrnets.files.tables import read_rows
from mdrnets.reporting.page.runs import anchor
from mdrnets.reporting.tables.cells import Cell
from tests.reporting.page.conftest import RUN_IDS, TAKEN, TITLE

VOID = {"meta", "link", "img", "input", "br"}
CITED = ("https://arxiv.org/", "https://doi.org/")


class Page(HTMLParser):
    """Elements with their attributes, and texts with the tag that they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]


@pytest.fixture(scope="module")
def text(page_path: Path) -> str:
    return page_path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_changed_inputs_that_were_used_are_named_at_the_top(text: str) -> None:
    assert TAKEN[0] in text[text.index('id="verdict"') : text.index("</section>")]


def test_every_tag_is_closed_and_every_id_is_unique(page: Page, text: str) -> None:
    assert text.startswith("<!doctype html>")
    assert page.open == []
    counts = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert counts and set(counts.values()) == {1}


def test_nothing_is_loaded_from_elsewhere(page: Page, page_path: Path) -> None:
    for tag, attributes in page.elements:
        assert not {"srcset", "action", "background"} & attributes.keys()
        source, target = attributes.get("src", "data:"), attributes.get("href", "#")
        assert source.startswith("data:"), tag
        if tag == "a" and not target.startswith("#"):
            assert target.startswith(CITED) or (page_path.parent / target).is_file(), target
        elif tag != "a":
            assert target in ("#", "data:,"), tag
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_every_anchor_leads_somewhere(page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    targets = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    assert targets <= ids
    for _, attributes in page.elements:
        assert set(attributes.get("aria-labelledby", "").split()) <= ids


def test_titles_and_claims_are_escaped(page: Page, text: str) -> None:
    assert TITLE in " ".join(data for _, data in page.texts)
    assert TITLE in {option["data-about"].split(", holes")[0][7:] for option in _values(page)}
    assert "<noise>" not in text and "<in>" not in text


def test_every_value_leads_to_the_runs_behind_it(page: Page, page_path: Path, text: str) -> None:
    tables = [page_path.parent / f"{name}.csv" for name in ("table1", "table1_extended")]
    cells = [cell for path in tables for cell in read_rows(path, Cell) if cell.value is not None]
    links = {(value["href"], value["data-about"].partition(" ±")[0]) for value in _values(page)}
    assert len(cells) == len(links) == 2 * 2 * (4 + 6)  # data sets, bins, metrics
    assert {target for target, _ in links} == {
        f"#{anchor('upstream', 'table1', dataset, 'toy')}" for dataset in ("one", "two")
    }
    chain = text.partition('id="upstream-table1-one-toy"')[2].partition("</ol>")[0]
    places = [chain.index(f"id-of-{name}") for name in RUN_IDS]  # evaluation, …, training
    assert places == sorted(places)
    assert "no record on this machine" in chain  # the records of the data are missing
    without = text.partition('id="upstream-table1-two-toy"')[2].partition("</ol>")[0]
    assert "id-of-evaluate" not in without and "no record on this machine" in without


def test_a_run_is_shown_with_its_parameters_and_hashes(text: str) -> None:
    entry = text.partition('id="run-evaluate-toy-one"')[2].partition("</details>")[0]
    assert "id-of-evaluate-one-toy" in entry
    assert "params.yaml:bins" in entry
    assert re.search(r"runs/tiny/completions/one/toy\.npy</span> <code>[0-9a-f]{64}", entry)


def test_all_sections_follow_from_the_stages(page: Page) -> None:
    ids = [attributes.get("id", "") for tag, attributes in page.elements if tag == "section"]
    order = ["verdict", "table1", "claims", "figures", "compare", "costs", "assumptions"]
    assert [name for name in ids if name in order] == order
    assert {"figure1", "figure5", "error_map", "metric_by_ratio", "curves"} <= set(ids)
    assert ids[-1] == "provenance"


def test_headings_do_not_skip_a_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_and_pictures_can_be_read_without_seeing_them(page: Page) -> None:
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") for cell in page.all("th"))
    sources = [image for image in page.all("img") if image.get("src")]
    assert sources and all(image["alt"] for image in sources)
    assert page.all("html") == [{"lang": "en"}]


def test_the_verdict_comes_first_and_is_no_stronger_than_the_data(page: Page) -> None:
    paragraphs = [data for tag, data in page.texts if tag == "p"]
    headline, seen = (p for p in paragraphs if p.startswith(("This run", "What this run")))
    assert headline.startswith("This run cannot decide the paper's claims: ")
    assert f"{TITLE} with 60 test images, beside the paper's FFHQ" in seen
    assert any("they say little about photographs" in p for p in paragraphs)


def test_the_assumptions_are_listed(page: Page) -> None:
    cells = {data for tag, data in page.texts if tag == "th"}
    assert {assumption.name for assumption in LEDGER} <= cells


def _values(page: Page) -> list[dict[str, str]]:
    return [a for a in page.all("a") if "data-about" in a]
