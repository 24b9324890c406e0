from pathlib import Path
from typing import Any

import pytest
import yaml

from mdrnets.config.load import Config, load_config
from tests.config.conftest import load_error


@pytest.fixture
def extending(configs: Path) -> Path:
    """A profile that extends `smoke` by nothing."""
    path = configs / "profiles/mine.yaml"
    path.write_text("extends: smoke\n")
    return path


def load(path: Path, **keys: Any) -> Config:
    path.write_text(yaml.safe_dump({"extends": "smoke", **keys}))
    return load_config(path.stem)


def test_a_profile_has_what_it_extends(extending: Path) -> None:
    mine, smoke = load_config("mine"), load_config("smoke")
    assert mine.profile == smoke.profile
    assert mine.name == "mine" and mine.path == Path("profiles/mine.yaml")
    assert mine.files == (mine.path, smoke.path)


def test_options_of_networks_are_merged(extending: Path) -> None:
    smoke = load_config("smoke").profile.networks
    mine = load(extending, networks={"recon": {"width": 8}}).profile.networks
    assert mine == smoke | {"recon": smoke["recon"] | {"width": 8}}


def test_other_keys_are_replaced_as_a_whole(extending: Path) -> None:
    holes = {"source": "holes", "per_step": 100, "test": 0.3, "train": 0.6, "validation": 0.1}
    dataset = load_config("smoke").profile.datasets["rendered_a"].model_dump(exclude_none=True)
    mine = load(extending, datasets={"mine": dataset}, holes=holes, methods=["mdrnets"])
    assert list(mine.profile.datasets) == ["mine"]


def test_profiles_extend_each_other(extending: Path) -> None:
    load(extending, seeds=2, networks={"recon": {"width": 8}})
    text = "extends: mine\nnetworks:\n  recon: {steps: 5}\n"
    Path("profiles/more.yaml").write_text(text)
    more = load_config("more")
    assert more.profile.seeds == 2
    assert more.profile.networks["recon"]["width"] == 8
    assert more.profile.networks["recon"]["steps"] == 5
    assert [path.stem for path in more.files] == ["more", "mine", "smoke"]


def test_errors_name_the_file_that_has_the_key(extending: Path) -> None:
    smoke = Path("profiles/smoke.yaml")
    smoke.write_text(smoke.read_text().replace("width: 4, input_scale", "breadth: 4, input_scale"))
    mine = load(extending, seeds=2, networks={"parser": {"steps": 5}})
    line = smoke.read_text().splitlines().index("networks:") + 2
    assert mine.locate("networks.parser.breadth") == f"{smoke}:{line}: networks.parser.breadth"
    assert mine.locate("networks.parser.steps") == f"{mine.path}:4: networks.parser.steps"
    assert mine.locate("seeds") == f"{mine.path}:5: seeds"
    assert mine.locate("training.nothing").startswith(f"{smoke}:")


def test_an_error_in_a_replaced_key_names_the_file_that_replaces_it(extending: Path) -> None:
    extending.write_text("extends: smoke\nholes: {per_step: 100}\n")
    assert load_error("mine").startswith("profiles/mine.yaml: holes.source: missing")


def test_an_error_in_what_is_extended_names_that_file(extending: Path) -> None:
    smoke = Path("profiles/smoke.yaml")
    smoke.write_text(smoke.read_text().replace("image_size: 32", "image_size: 8"))
    assert load_error("mine").startswith("profiles/smoke.yaml: image_size: ")


@pytest.mark.parametrize("value", ["mine", "more"])
def test_a_circle_is_refused(extending: Path, value: str) -> None:
    extending.write_text(f"extends: {value}\n")
    Path("profiles/more.yaml").write_text("extends: mine\n")
    message = load_error("mine")
    assert "mine extends this profile" in message and "extends: " in message


@pytest.mark.parametrize("value", ["nowhere", "../profiles/smoke", "3", "[smoke]", "null"])
def test_an_unknown_profile_is_refused_where_it_is_named(extending: Path, value: str) -> None:
    extending.write_text(f"extends: {value}\n")
    assert load_error("mine").startswith("profiles/mine.yaml: extends: ")


@pytest.mark.parametrize("name", ["mine", "smoke"])
def test_a_file_without_keys_is_named(extending: Path, name: str) -> None:
    Path(f"profiles/{name}.yaml").write_text("- smoke\n")
    assert load_error("mine").startswith(f"profiles/{name}.yaml: expected keys")
