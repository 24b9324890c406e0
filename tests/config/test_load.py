from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.load import expand, load_config
from mdrnets.config.profile_files import PROFILES, RESERVED
from mdrnets.config.protocol import Protocol
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from tests.config.conftest import Change, load_error

SHIPPED = sorted(path.stem for path in PROFILES.glob("*.yaml"))


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


def test_an_empty_file_is_named(change: Change, configs: Path) -> None:
    (configs / "params.yaml").write_text("")
    assert load_error().startswith("params.yaml: ")


def test_an_unknown_profile_lists_the_known_ones(configs: Path) -> None:
    message = load_error("nowhere")
    assert message.startswith("profiles/nowhere.yaml: ")
    assert "demo" in message and "smoke" in message


@pytest.mark.parametrize("name", RESERVED)
def test_no_profile_writes_into_other_reports(configs: Path, name: str) -> None:
    Path(f"profiles/{name}.yaml").write_bytes(Path("profiles/smoke.yaml").read_bytes())
    assert load_error(name).startswith(f"profiles/{name}.yaml: reports/{name}/ ")


def test_an_unknown_method_lists_the_known_ones(change: Change) -> None:
    change("profiles/smoke.yaml", lambda values: values.update(methods=["gan"]))
    message = load_error()
    assert "'gan'" in message and "mdrnets" in message


def test_bins_are_read_in_their_order() -> None:
    bins = load_config("smoke").protocol.bins
    assert list(bins.items()) == [("1-20", (1, 2)), ("20-40", (3, 4)), ("40-60", (5, 6))]


def test_a_file_that_is_no_yaml_is_named(configs: Path) -> None:
    Path("params.yaml").write_text("profile: [demo\n")
    with pytest.raises(UserError, match=r"^params\.yaml:2: "):
        load_config()


def test_outside_the_projects_folder_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_error(None).startswith("params.yaml: ")


def test_a_configuration_cannot_be_changed() -> None:
    config = load_config("smoke")
    with pytest.raises(ValueError, match="frozen"):
        config.profile.threads = 2  # type: ignore[misc]


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


def test_a_network_is_found_among_parts_and_methods() -> None:
    protocol: Protocol = load_config("smoke").protocol
    assert protocol.networks["parser"].labels
    assert protocol.networks["pconv"].title == "PConv"


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


def test_a_profile_may_have_a_hyphen(configs: Path) -> None:
    Path("profiles/my-lab.yaml").write_bytes(Path("profiles/smoke.yaml").read_bytes())
    config = load_config("my-lab")
    assert config.name == "my-lab"
    assert all("my-lab" in job.command for job in Pipeline(config).jobs())


@pytest.mark.parametrize("name", ["../params", "Smoke", "smoke/", "a b", "profiles\n", "1"])
def test_no_other_name_leads_out_of_the_folder_of_profiles(configs: Path, name: str) -> None:
    with pytest.raises(UserError):
        load_config(name)
