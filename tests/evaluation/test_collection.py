from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.config.load import Config, load_config
from mdrnets.data.evaluation_set import read_evaluation_set
from mdrnets.data.progress import no_progress_bar
from mdrnets.errors import UserError
from mdrnets.evaluation.collection import collect_test_images
from tests.helpers.project import LAYOUT, edit_yaml, write_configuration, write_data

COMPOSITES, GIVEN = LAYOUT.completions("one", "given"), LAYOUT.raw_outputs("one", "given")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A profile with a method whose completions are noise."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    write_data(tmp_path)
    with edit_yaml("params.yaml") as params:
        params["methods"]["given"] = {"title": "Given", "completions": "given/{dataset}"}
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile["methods"] = [*profile["methods"], "given"]
    config = load_config()
    test = read_evaluation_set(config, "one")
    for pair, image in zip(test.pairs, _noise(config), strict=True):
        path = Path("given/one", pair.bin, f"{pair.image}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return config


def _noise(config: Config) -> np.ndarray:
    """uint8 (bins·images)×H×W×3."""
    _, _, *shape = read_evaluation_set(config, "one").shape
    count = len(read_evaluation_set(config, "one").pairs)
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def _collect(config: Config, method: str = "given") -> None:
    collect_test_images(config, dataset="one", method=method, progress=no_progress_bar)


def test_only_the_hole_is_taken(config: Config) -> None:
    _collect(config)
    test = read_evaluation_set(config, "one")
    composites, given = np.load(COMPOSITES), np.load(GIVEN)
    assert composites.shape == given.shape == test.shape
    assert composites.dtype == given.dtype == np.uint8
    assert np.array_equal(given.reshape(-1, *test.shape[2:]), _noise(config))
    for pair, composite, image in zip(
        test.pairs,
        composites.reshape(-1, *test.shape[2:]),
        _noise(config),
        strict=True,
    ):
        hole = test.holes[pair.hole_row]
        assert np.array_equal(composite[hole], image[hole])
        assert np.array_equal(composite[~hole], test.images[pair.image_row][~hole])


def test_a_damaged_image_leaves_no_file(config: Config) -> None:
    *_, last = sorted(Path("given/one").rglob("*.png"))
    last.write_bytes(b"no image")
    with pytest.raises(UserError, match=last.name):
        _collect(config)
    assert not COMPOSITES.exists() and not GIVEN.exists()
    assert not list(COMPOSITES.parent.glob("*"))


def test_a_method_of_this_project_has_none(config: Config) -> None:
    with pytest.raises(UserError, match=r"methods\.toy"):
        _collect(config, "toy")
