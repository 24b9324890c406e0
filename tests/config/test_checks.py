from typing import Any

import pytest

from mdrnets.config.load import load_config
from tests.config.conftest import URL, Change, Edit, load_error


def _external(values: dict[str, Any], completions: str) -> None:
    values["methods"]["theirs"] = {"title": "Theirs", "completions": completions}


@pytest.mark.parametrize(
    ("key", "edit"),
    [
        ("bins.a/b", lambda v: v.update(bins={"a/b": [1]})),
        ("bins.{x}", lambda v: v.update(bins={"{x}": [1]})),
        ("bins", lambda v: v.update(bins={"a": [1], "A": [2]})),
        ("bins", lambda v: v.update(bins={})),
        ("bins.1-20", lambda v: v["bins"].update({"1-20": [1, 1]})),
        ("profile", lambda v: v.update(profile="../smoke")),
        ("methods.parser", lambda v: v["methods"].update(parser=v["methods"]["pconv"])),
        ("methods.pconv.dataset", lambda v: v["methods"]["pconv"].update(dataset=0)),
        ("methods.biharmonic.memory", lambda v: v["methods"]["biharmonic"].update(memory=True)),
        ("methods.pconv.module", lambda v: v["methods"]["pconv"].update(module="a..b")),
        ("methods.pconv.title", lambda v: v["methods"]["pconv"].update(title="a\nb")),
        ("methods.pconv.title", lambda v: v["methods"]["pconv"].update(title="Face parser")),
        ("variants.one_slot.title", lambda v: v["variants"]["one_slot"].update(title="MDRNets")),
        ("components.recon.trained", lambda v: v["components"]["recon"].update(trained=False)),
        ("components.recon.uses", lambda v: v["components"]["recon"].update(uses=["coarse"])),
        ("components.recon.memory", lambda v: v["components"]["recon"].update(memory=True)),
        ("ablation_base", lambda v: v.update(ablation_base="biharmonic")),
        ("ablation_base", lambda v: v.update(ablation_base="coarse")),
        ("variants.full", lambda v: v["variants"].update(full={"title": "x", "options": {}})),
        ("ablations.table2.rows", lambda v: v["ablations"]["table2"]["rows"].append("full")),
        *[
            ("bins.1-20", lambda v, steps=steps: v["bins"].update({"1-20": steps}))
            for steps in ([], [0], [7], [1, 9])
        ],
        ("methods.pconv.titel", lambda v: v["methods"]["pconv"].update(titel="PConv")),
        ("methods.mdrnets.uses", lambda v: v["methods"]["mdrnets"]["uses"].append("eyes")),
        (
            "methods.mdrnets.inference_uses",
            lambda v: v["methods"]["mdrnets"]["inference_uses"].append("eyes"),
        ),
        ("variants.seed2", lambda v: v["variants"].update(seed2={"title": "x", "options": {}})),
        ("ablations.table2.rows", lambda v: v["ablations"]["table2"]["rows"].append("nothing")),
        (
            "ablations.table2.claims: ['one_slot']",
            lambda v: v["ablations"]["table2"]["claims"].append(["full", "one_slot"]),
        ),
        (
            "figures.figure6a.columns",
            lambda v: v["figures"]["figure6a"]["columns"].append("nothing"),
        ),
        ("figures.table2", lambda v: v["figures"].update(table2=v["figures"]["figure6a"])),
        ("per_class.baseline", lambda v: v["per_class"].update(baseline="nothing")),
        ("per_class.parser", lambda v: v["per_class"].update(parser="recon")),
        ("methods.theirs.completions", lambda v: _external(v, "theirs/{x}.zip")),
        ("methods.theirs.completions", lambda v: _external(v, "theirs/{.zip")),
        ("methods.theirs.completions", lambda v: _external(v, "theirs/{{dataset}}.zip")),
        ("methods.theirs.completions", lambda v: _external(v, "theirs.zip")),
    ],
)
def test_what_could_not_run_is_refused_in_params(change: Change, key: str, edit: Edit) -> None:
    change("params.yaml", edit)
    if "theirs" in key:
        change("profiles/demo.yaml", lambda v: v["methods"].append("theirs"))
    assert load_error("demo").startswith(f"params.yaml: {key}")


def two_urls(values: dict[str, Any], file: str) -> None:
    for name, url in (("one", f"{URL}?1"), ("two", f"{URL}?2")):
        values["sources"][name] = {"url": url, "licence": "MIT", "file": "a.zip"}
    values["sources"]["two"]["file"] = file


@pytest.mark.parametrize(
    ("key", "edit"),
    [
        ("networks.coarse", lambda v: v["networks"].pop("coarse")),
        ("networks.gan", lambda v: v["networks"].update(gan={"steps": 1})),
        ("networks.parser.published", lambda v: v["networks"].update(parser={"published": True})),
        ("datasets.rendered_a.faces", lambda v: v["datasets"]["rendered_a"].update(faces="lost")),
        (
            "datasets.rendered_a.labels.source",
            lambda v: v["datasets"]["rendered_a"]["labels"].update(source="lost"),
        ),
        ("holes.source: lost ", lambda v: v["holes"].update(source="lost")),
        ("holes.source: holes ", lambda v: v["sources"]["holes"].update(kind="weights", path="a")),
        ("frechet", lambda v: v.update(frechet="inception-v3")),
        ("variants: 'nothing'", lambda v: v.update(variants=["nothing"])),
        ("methods", lambda v: v.update(methods=["biharmonic"])),  # variants need the method itself
        ("methods", lambda v: v["methods"].append("mdrnets")),
        ("methods", lambda v: v.update(methods=[])),
        ("variants", lambda v: v["variants"].append("without_mrem")),
        ("datasets", lambda v: v.update(datasets={})),
        ("datasets.again.title", lambda v: v["datasets"].update(again=v["datasets"]["rendered_a"])),
        ("sources.holes.url", lambda v: v["sources"]["holes"].update(url=5)),
        ("sources.holes.url", lambda v: v["sources"]["holes"].update(url="http://[1/a.zip")),
        ("sources.holes.url", lambda v: v["sources"]["holes"].update(url="http://a:b/a.zip")),
        ("sources.holes", lambda v: v["sources"]["holes"].update(url=URL, file="..")),
        ("sources.two.file", lambda v: two_urls(v, "A.zip")),
        (
            "sources.rendered_a_faces.downscale",
            lambda v: (
                v["sources"]["rendered_a_faces"].update(downscale=32, folder=".")
                or v.update(image_size=64)
            ),
        ),
    ],
)
def test_what_could_not_run_is_refused_in_the_profile(change: Change, key: str, edit: Edit) -> None:
    change("profiles/smoke.yaml", edit)
    assert load_error().startswith(f"profiles/smoke.yaml: {key}")


def test_one_url_may_serve_two_sources(change: Change) -> None:
    def share(values: dict[str, Any]) -> None:
        two_urls(values, "a.zip")
        values["sources"]["two"]["url"] = values["sources"]["one"]["url"]

    change("profiles/smoke.yaml", share)
    assert load_config("smoke")


def test_a_component_for_all_data_sets_needs_labels_in_all(change: Change) -> None:
    change("params.yaml", lambda v: v["components"]["parser"].pop("dataset"))
    change("params.yaml", lambda v: v.pop("per_class"))
    assert load_error("demo").startswith("profiles/demo.yaml: datasets: ")
