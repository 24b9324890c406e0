import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdrnets.config.data import Holes, Labels, Source, Split
from mdrnets.config.load import PROFILES, Config, expand, load_config
from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import TrainOptions
from mdrnets.config.protocol import Protocol
from mdrnets.config.validation import RENAMED_KEYS, RENAMED_VALUES, validate_options
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from tests.helpers.project import edit_yaml

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.stem for path in PROFILES.glob("*.yaml"))
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def change(configs: Path) -> Callable[[str, Edit], None]:
    """Edits one of the current folder's files in place."""

    def apply(name: str, edit: Edit) -> None:
        with edit_yaml(configs / name) as values:
            edit(values)

    return apply


Change = Callable[[str, Edit], None]


def _load_error(profile: str | None = "smoke") -> str:
    with pytest.raises(UserError) as raised:
        load_config(profile)
    assert "\n" not in str(raised.value)
    return re.sub(r"\.yaml:\d+: ", ".yaml: ", str(raised.value))


# -- what is shipped -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_loads(name: str) -> None:
    config = load_config(name)
    assert config.name == name
    for network in config.trained:
        assert {"steps", "epochs"} & set(config.options(network))


def test_the_profile_that_params_name_is_the_default() -> None:
    assert load_config().name == load_config().protocol.profile


def test_parts_come_before_the_methods_that_use_them() -> None:
    order = list(load_config("smoke").trained)
    assert order[-2:] == ["mdrnets", "mdrnets@without_mrem"]
    assert set(order[:-2]) == {"parser", "coarse", "recon"}


def test_a_part_that_no_method_of_the_profile_uses_is_not_trained(change: Change) -> None:
    def only_pconv(values: dict[str, Any]) -> None:
        values["methods"] = ["pconv"]
        values["variants"] = []
        values["networks"]["pconv"] = {"steps": 1, "batch_size": 1}

    change("profiles/smoke.yaml", only_pconv)
    assert list(load_config("smoke").trained) == ["pconv"]


def test_a_part_may_be_trained_on_one_data_set_for_all() -> None:
    config = load_config("demo")
    assert config.trained_on("parser", "rendered_b") == "rendered_a"
    assert config.trained_on("recon", "rendered_b") == "rendered_b"


def test_a_variant_is_the_method_with_something_changed(change: Change) -> None:
    change("profiles/smoke.yaml", lambda v: v.update(variants=["without_semantic"]))
    config = load_config("smoke")
    variant, full = "mdrnets@without_semantic", "mdrnets"
    assert config.network(variant).module == config.network(full).module
    assert config.network(variant).title == "w/o L_sem"
    assert config.network(variant).dataset == 0  # the ablations' data set alone
    assert config.options(variant) == config.options(full) | {"weights": {"semantic": 0.0}}


def test_overridden_mappings_are_merged(change: Change) -> None:
    def more(values: dict[str, Any]) -> None:
        values["variants"] = ["without_semantic"]
        values["networks"]["mdrnets"]["weights"] = {"semantic": 0.3, "style": 0.5}

    change("profiles/smoke.yaml", more)
    weights = load_config("smoke").options("mdrnets@without_semantic")["weights"]
    assert weights == {"semantic": 0.0, "style": 0.5}


def test_only_tables_with_a_variant_that_runs_are_there(change: Change) -> None:
    assert set(load_config("smoke").ablations) == {"table2", "memory_table"}
    change("profiles/smoke.yaml", lambda v: v.update(variants=["without_semantic"]))
    assert set(load_config("smoke").ablations) == {"table2"}


def test_only_figures_with_a_variant_that_runs_are_there(change: Change) -> None:
    config = load_config("smoke")
    assert set(config.figures) == {"figure6a"}
    columns = config.figures["figure6a"].columns
    assert [column for column in columns if config.runs(column)] == ["without_mrem", "full"]
    change("profiles/smoke.yaml", lambda v: v.update(variants=[]))
    assert load_config("smoke").figures == {}


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["params.yaml", "profiles/smoke.yaml"])
def test_an_unknown_key_is_named_with_its_file(change: Change, file: str) -> None:
    change(file, lambda values: values.update(sede=1))
    message = _load_error()
    assert message == f"{file}: sede: unknown key"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("params.yaml", "parts", "components"),
        ("params.yaml", "methods.mdrnets.completes_with", "inference_uses"),
        ("params.yaml", "ablated", "ablation_base"),
        ("params.yaml", "classwise", "per_class"),
        ("params.yaml", "per_class.against", "baseline"),
        ("params.yaml", "per_class.fewest_pairs", "min_pairs"),
        ("profiles/paper.yaml", "datasets.celebahq.split.others_every", "test_every"),
        ("profiles/paper.yaml", "datasets.celebahq.stands_for", "published_as"),
        ("profiles/paper.yaml", "sources.ffhq_faces.shrink", "downscale"),
        ("profiles/paper.yaml", "holes.white", "polarity"),
        ("profiles/paper.yaml", "holes.training.white", "polarity"),
    ],
)
def test_an_old_key_is_refused_with_its_new_name(
    change: Change, file: str, old: str, new: str
) -> None:
    *above, name = old.split(".")
    assert RENAMED_KEYS[name] == new

    def restore_old_key(values: dict[str, Any]) -> None:
        for key in above:
            values = values[key]
        values[name] = values.pop(new, 10)

    change(file, restore_old_key)
    message = _load_error("paper")
    assert message.startswith(f"{file}: {old}: ") and f"`{new}" in message and ";" in message
    assert message.count(": renamed") == 1 and "required" not in message


@pytest.mark.parametrize("keys", ["holes", "holes.training"])
@pytest.mark.parametrize("old", ["hole", "valid"])
def test_an_old_polarity_is_refused_with_its_new_value(change: Change, keys: str, old: str) -> None:
    def restore_old_value(values: dict[str, Any]) -> None:
        for key in keys.split("."):
            values = values[key]
        values["polarity"] = old

    change("profiles/paper.yaml", restore_old_value)
    message = _load_error("paper")
    assert message.startswith(f"profiles/paper.yaml: {keys}.polarity: ")
    assert RENAMED_VALUES["polarity"][old] in message


def test_an_empty_file_is_named(change: Change, configs: Path) -> None:
    (configs / "params.yaml").write_text("")
    assert _load_error().startswith("params.yaml: ")


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("image_size",), 8),
        (("image_size",), "64"),
        (("threads",), 0),
        (("device",), "tpu"),
        (("completion_batch",), 0),
        (("training", "log_every"), 0),
        (("sources", "holes", "files"), 0),
        (("sources", "holes", "sha256"), "abc"),
        (("datasets", "rendered_a", "published_as"), "ImageNet"),
        (("datasets", "rendered_a", "split", "test"), 0),
        (("holes", "train"), 1.5),
    ],
)
def test_a_bad_value_is_named_with_its_key(
    change: Change, keys: tuple[str, ...], value: object
) -> None:
    def spoil(values: dict[str, Any]) -> None:
        for key in keys[:-1]:
            values = values[key]
        values[keys[-1]] = value

    change("profiles/smoke.yaml", spoil)
    assert f"profiles/smoke.yaml: {'.'.join(keys)}: " in _load_error()


def test_an_unknown_profile_lists_the_known_ones(configs: Path) -> None:
    message = _load_error("nowhere")
    assert message.startswith("profiles/nowhere.yaml: ")
    assert "demo" in message and "smoke" in message


def test_an_unknown_method_lists_the_known_ones(change: Change) -> None:
    change("profiles/smoke.yaml", lambda values: values.update(methods=["gan"]))
    message = _load_error()
    assert "'gan'" in message and "mdrnets" in message


def test_bins_are_read_in_their_order() -> None:
    assert load_config("smoke").protocol.bins == {"1-20": (1, 2), "20-40": (3, 4), "40-60": (5, 6)}


def test_a_file_that_is_no_yaml_is_named(configs: Path) -> None:
    Path("params.yaml").write_text("profile: [demo\n")
    with pytest.raises(UserError, match=r"^params\.yaml:2: "):
        load_config()


def test_outside_the_projects_folder_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _load_error(None).startswith("params.yaml: ")


# -- single rules ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "fine"),
    [((0.6, 0.1, 0.3), True), ((0.6, 0.1, 0.2), False), ((0.8, 0.1, 0.2), False)],
)
def test_shares_of_holes_add_up_to_one(shares: tuple[float, float, float], fine: bool) -> None:
    train, validation, test = shares
    values = {"source": "holes", "per_step": 1}
    values |= {"train": train, "validation": validation, "test": test}
    if fine:
        assert Holes.model_validate(values).test == test
    else:
        with pytest.raises(ValueError, match=r"train \+ validation \+ test"):
            Holes.model_validate(values)


def test_training_holes_come_from_a_share_or_from_a_source() -> None:
    values = {"source": "holes", "per_step": 1, "validation": 0.1, "test": 0.9}
    training = {"source": "masks", "polarity": "white_is_valid", "threshold": 0.6}
    assert Holes.model_validate(values | {"training": training}).training
    for wrong in ({}, {"training": training, "train": 0.1}):
        with pytest.raises(ValueError, match="`train` or `training`"):
            Holes.model_validate(values | wrong)


URL = "https://example.org/faces.zip"


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"url": URL, "path": "faces.zip"}, "`path` and `url`"),
        ({"url": "https://example.org/download?id=1"}, "file: "),
        ({"url": "ftp://example.org/faces.zip"}, "url"),
        ({"url": URL, "file": "../faces.zip"}, "file"),
        ({"url": URL, "file": ".."}, "file"),
        ({"url": "https://example.org/faces/.."}, "file"),
        ({"kind": "ffhq_metadata"}, "url: "),
        ({"downscale": 64}, "folder: "),
        ({"sha256": "397923af"}, "sha256"),
        ({"md5": "1234"}, "md5"),
    ],
)
def test_a_source_is_consistent(keys: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Source.model_validate({"licence": "MIT"} | keys)


def test_a_source_may_have_several_addresses() -> None:
    mirror = "https://mirror.example.org/x?dl=1"
    source = Source.model_validate({"url": [f"{URL}?dl=1", mirror], "licence": "MIT"})
    assert source.url == (f"{URL}?dl=1", mirror)
    assert source.file_name == "faces.zip"
    assert Source.model_validate({"url": URL, "file": "b.zip", "licence": ""}).file_name == "b.zip"


def test_the_number_of_test_images_belongs_to_the_rule_last() -> None:
    assert Split(rule="last", test=5, validation=0).test == 5
    assert Split(rule="celebahq", test_every=10, validation=0).test is None
    for rule, test in (("last", None), ("celebahq", 5)):
        with pytest.raises(ValueError, match="test: "):
            Split.model_validate({"rule": rule, "test": test, "validation": 0})


def test_a_configuration_cannot_be_changed() -> None:
    config = load_config("smoke")
    with pytest.raises(ValueError, match="frozen"):
        config.profile.threads = 2  # type: ignore[misc]


def test_label_classes_are_known_ones() -> None:
    with pytest.raises(ValueError, match="classes"):
        Labels.model_validate({"source": "faces", "classes": "all"})


def test_variables_in_a_path_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", "/data sets")
    monkeypatch.setenv("HOME", "/home/me")
    assert expand("$SOMEWHERE/a.zip") == Path("/data sets/a.zip")
    assert expand("~/a.zip") == Path("/home/me/a.zip")
    assert expand("a.zip") == Path("a.zip")


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOMEWHERE", raising=False)
    with pytest.raises(UserError, match=r"^\$SOMEWHERE/a\.zip: .* SOMEWHERE "):
        expand("$SOMEWHERE/a.zip")


def test_a_networks_options_name_where_they_stand() -> None:
    assert validate_options(TrainOptions, {"steps": 1, "batch_size": 2}, where="x").steps == 1
    with pytest.raises(UserError, match=r"^p\.yaml: networks\.coarse: steps: "):
        validate_options(
            TrainOptions, {"steps": 0, "batch_size": 2}, where="p.yaml: networks.coarse"
        )


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"steps": "many", "batch_size": 2}, "'many'"),
        ({"steps": [7] * 90, "batch_size": 2}, "…"),
        ({"steps": "https://me:secret@x.org/?t=secret", "batch_size": 2}, "x.org/"),
    ],
)
def test_a_wrong_value_is_shown_in_short_and_without_secrets(
    values: dict[str, object], text: str
) -> None:
    with pytest.raises(UserError, match=r"^p\.yaml: steps: ") as raised:
        validate_options(TrainOptions, values, where="p.yaml")
    message = str(raised.value)
    assert text in message and "secret" not in message and len(message) < 200


def test_a_network_is_found_among_parts_and_methods() -> None:
    protocol: Protocol = load_config("smoke").protocol
    assert protocol.network("parser").labels
    assert protocol.network("pconv").title == "PConv"
    assert isinstance(load_config("smoke"), Config)


# -- further trainings, and claims of the ablations -------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("pconv", ("pconv", "", 1)),
        ("mdrnets@small", ("mdrnets", "small", 1)),
        ("pconv@seed2", ("pconv", "", 2)),
        ("mdrnets@small@seed12", ("mdrnets", "small", 12)),
        ("mdrnets@seedless", ("mdrnets", "seedless", 1)),
    ],
)
def test_a_name_tells_method_variant_and_training(name: str, parts: tuple[str, str, int]) -> None:
    assert NetworkId.parse(name) == NetworkId(*parts)
    assert str(NetworkId(*parts)) == name


def test_methods_and_variants_are_trained_once_a_seed_and_parts_once(change: Change) -> None:
    assert not any("seed" in name for name in load_config("smoke").networks)
    change("profiles/smoke.yaml", lambda v: v.update(seeds=2))
    config = load_config("smoke")
    once = ["mdrnets", "mdrnets@without_mrem"]
    assert set(config.trained) == {"parser", "coarse", "recon"} | {
        name + again for name in once for again in ("", "@seed2")
    }
    again = "mdrnets@without_mrem@seed2"
    assert config.network(again).title == "w/o MREM, training 2"
    assert config.network(again).dataset == 0
    assert config.options(again) == config.options("mdrnets@without_mrem")
    assert [config.seed(name) for name in ("mdrnets", again)] == [2204, 2205]


def test_what_is_not_trained_is_run_once(change: Change) -> None:
    change("profiles/smoke.yaml", lambda v: v.update(seeds=3, methods=["mdrnets", "biharmonic"]))
    assert load_config("smoke").trainings("biharmonic") == ("biharmonic",)


# -- preconditions of later stages -------------------------------------------------------------


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
        ("methods.theirs.completions", lambda v: _external(v, "theirs.zip")),
    ],
)
def test_what_could_not_run_is_refused_in_params(change: Change, key: str, edit: Edit) -> None:
    change("params.yaml", edit)
    if "theirs" in key:
        change("profiles/demo.yaml", lambda v: v["methods"].append("theirs"))
    assert _load_error("demo").startswith(f"params.yaml: {key}")


def _two_urls(values: dict[str, Any], file: str) -> None:
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
        ("sources.holes.url", lambda v: v["sources"]["holes"].update(url=5)),
        ("sources.holes.url", lambda v: v["sources"]["holes"].update(url="http://[1/a.zip")),
        ("sources.holes.url", lambda v: v["sources"]["holes"].update(url="http://a:b/a.zip")),
        ("sources.holes", lambda v: v["sources"]["holes"].update(url=URL, file="..")),
        ("sources.two.file", lambda v: _two_urls(v, "A.zip")),
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
    assert _load_error().startswith(f"profiles/smoke.yaml: {key}")


def test_one_url_may_serve_two_sources(change: Change) -> None:
    def share(values: dict[str, Any]) -> None:
        _two_urls(values, "a.zip")
        values["sources"]["two"]["url"] = values["sources"]["one"]["url"]

    change("profiles/smoke.yaml", share)
    assert load_config("smoke")


def test_a_component_for_all_data_sets_needs_labels_in_all(change: Change) -> None:
    change("params.yaml", lambda v: v["components"]["parser"].pop("dataset"))
    change("params.yaml", lambda v: v.pop("per_class"))
    assert _load_error("demo").startswith("profiles/demo.yaml: datasets: ")


def test_a_profile_may_have_a_hyphen(configs: Path) -> None:
    Path("profiles/my-lab.yaml").write_bytes(Path("profiles/smoke.yaml").read_bytes())
    config = load_config("my-lab")
    assert config.name == "my-lab"
    assert all("my-lab" in job.command for job in Pipeline(config).jobs())


@pytest.mark.parametrize("name", ["../params", "Smoke", "smoke/", "a b", "profiles\n", "1"])
def test_no_other_name_leads_out_of_the_folder_of_profiles(configs: Path, name: str) -> None:
    with pytest.raises(UserError):
        load_config(name)


# -- anything that a file can contain ----------------------------------------------------------


def test_each_problem_is_named_with_its_line(configs: Path) -> None:
    path = Path("profiles/smoke.yaml")
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("image_size", "threads")):
            lines[number] = line.partition(":")[0] + ": many"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_config("smoke")
    for key in ("image_size", "threads"):
        number = next(n for n, line in enumerate(lines, 1) if line.startswith(key))
        assert f"{path}:{number}: {key}: " in str(raised.value)


def _paths(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    result = [path] if path else []
    if isinstance(values, dict | list):
        for key in values if isinstance(values, dict) else range(len(values)):
            result += _paths(values[key], (*path, key))
    return result


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


PLACES = [
    (name, path) for name in ("params.yaml", "profiles/demo.yaml") for path in _paths(_read(name))
]
TEXTS = st.sampled_from(
    [
        "",
        " ",
        "a/b",
        "{x}",
        "{",
        "..",
        "$NOWHERE",
        "holes",
        "full",
        "seed2",
        "ground_truth",
        "é",
        "\n",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), TEXTS, st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=5,
)
REMOVED = object()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.sampled_from(PLACES), value=st.just(REMOVED) | VALUES, renamed=st.booleans())
def test_any_value_in_any_place_is_accepted_or_refused(
    configs: Path, place: tuple[str, tuple[Any, ...]], value: Any, renamed: bool
) -> None:
    name, path = place
    values = _read(name)
    branch = values
    for key in path[:-1]:
        branch = branch[key]
    if renamed and isinstance(branch, dict) and isinstance(value, Hashable):
        branch[value] = branch.pop(path[-1])
    elif value is REMOVED:
        del branch[path[-1]]
    else:
        branch[path[-1]] = value
    if REMOVED in branch:
        return
    (configs / name).write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    try:
        list(Pipeline(load_config("demo")).jobs())
    except UserError as error:
        assert "\n" not in str(error)
    finally:
        (configs / name).write_bytes((ROOT / name).read_bytes())
