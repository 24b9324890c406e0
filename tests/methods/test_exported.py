"""An exported method is read without the project that trained it."""

from pathlib import Path

import pytest
import torch

from mdrnets.config.load import load_config
from mdrnets.errors import UserError
from mdrnets.methods.base import BuildContext
from mdrnets.methods.building import load_network
from mdrnets.methods.exported import load_method
from mdrnets.methods.exported_folder import export_networks
from tests.helpers import toy
from tests.helpers.project import LAYOUT, SIZE
from tests.helpers.trained_toys import write_trained_toys


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export of the toy, which uses another network."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    write_trained_toys(project)
    export_networks(load_config(), network="toy", dataset="one", folder=tmp_path / "exported")
    return tmp_path / "exported"


def test_it_completes_as_in_the_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = load_network(load_config(), LAYOUT, network="toy", dataset="one").eval()
    monkeypatch.chdir(folder)  # where there is no params.yaml
    loaded = load_method(folder)
    assert loaded.description.parts == {"toy": ["base"], "base": []}
    assert loaded.description.image_size == SIZE and not loaded.network.training

    masked = torch.linspace(-1, 1, 3 * SIZE * SIZE).view(1, 3, SIZE, SIZE)
    hole = torch.zeros(1, 1, SIZE, SIZE)
    results = [
        network.complete(masked, hole, torch.Generator().manual_seed(1))
        for network in (original, loaded.network)
    ]
    assert torch.equal(*results)


def test_it_is_built_on_the_networks_that_it_uses(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[list[str]] = []

    def build(*, options: toy.Options, context: BuildContext) -> toy.Toy:
        used.append(list(context.frozen))
        return toy.Toy(options)

    monkeypatch.setattr(toy, "build", build)
    load_method(folder)
    assert used == [[], ["base"]]


@pytest.mark.parametrize("name", ["method.json", "networks/toy.json", "networks/base.safetensors"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError, match=str(folder / name)):
        load_method(folder)


def test_a_module_that_is_missing_is_named(folder: Path) -> None:
    path = folder / "networks/toy.json"
    path.write_text(path.read_text().replace("tests.helpers.toy", "nowhere.toy"))
    with pytest.raises(UserError, match=r"nowhere\.toy"):
        load_method(folder)
