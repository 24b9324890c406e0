"""What looks into an MDRNets, on one of the smoke profile's sizes that was never trained."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.data.assignment import Pair, assign, read_assignment
from mdrnets.data.classes import CLASSES
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.data.pixels import to_pixels, to_tensor
from mdrnets.evaluation.memory_use import NONE, load_memory_use
from mdrnets.evaluation.parsing import COMPLETE, read_parsing
from mdrnets.evaluation.refined_faces import load_refined_faces
from mdrnets.files.tables import read_table, write_rows, write_table
from mdrnets.methods.building import build_network, load_network, resolved_options
from mdrnets.methods.mdrnets.method import MDRNets
from mdrnets.methods.model_files import ModelConfig, save_model_config, save_weights
from stages import inspect_memory, inspect_parsing, validate
from tests.helpers.project import LAYOUT, ROOT, SIZE, edit_yaml, write_configuration, write_data

ARGUMENTS = ["one", "mdrnets"]
MEMORY, PARSING = LAYOUT.memory_use(*ARGUMENTS), LAYOUT.parsing(*ARGUMENTS)
TRAINING, VALIDATION = range(3), range(3, 7)  # rows of the images; the others are for testing
LABELLED = range(2, 6)


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration, data and weights."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_configuration(folder)
        with edit_yaml("params.yaml") as params, edit_yaml("profiles/tiny.yaml") as profile:
            _add_mdrnets(params)
            _add_labels(profile)
        write_data(folder)
        _write_roles_and_labels()
        for name in ("parser", "coarse", "recon", "mdrnets"):
            _save_untrained(name)
    return folder


@pytest.fixture
def project(process_state: None, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for all tests, without outputs."""
    monkeypatch.chdir(project_folder)
    for path in (MEMORY, PARSING):
        path.unlink(missing_ok=True)
    return project_folder


@pytest.fixture
def change(project: Path) -> Iterator[Callable[[Path, str], None]]:
    """Writes a text into a file until the end of the test."""
    before: dict[Path, bytes] = {}

    def apply(path: Path, text: str) -> None:
        before.setdefault(path, path.read_bytes())
        path.write_text(text, encoding="utf-8")

    yield apply
    for path, content in before.items():
        path.write_bytes(content)


def _add_mdrnets(params: dict[str, Any]) -> None:
    configs = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["components"] |= configs["components"]
    params["methods"]["mdrnets"] = configs["methods"]["mdrnets"]
    params["ablation_base"] = "mdrnets"


def _add_labels(profile: dict[str, Any]) -> None:
    smoke = yaml.safe_load((ROOT / "profiles/smoke.yaml").read_text(encoding="utf-8"))
    profile["methods"] = ["toy", "mdrnets"]
    profile["networks"] |= smoke["networks"]
    profile["datasets"]["one"]["labels"] = {"source": "noise", "classes": "mdrnets14"}


def _write_roles_and_labels() -> None:
    """Of the four validation images three have label maps."""
    split = read_table(LAYOUT.split("one"), SPLIT_COLUMNS)
    for at, row in enumerate(split):
        if at in VALIDATION:
            row["role"] = "validation"
        row["labelled"] = str(int(at in LABELLED))
    write_table(LAYOUT.split("one"), SPLIT_COLUMNS, [list(row.values()) for row in split])
    labels = np.random.default_rng(3).integers(0, len(CLASSES), (4, SIZE, SIZE), dtype=np.uint8)
    np.save(LAYOUT.labels("one"), labels)

    holes = read_table(LAYOUT.hole_split(), HOLE_SPLIT_COLUMNS)
    for row in holes:  # what was for training: enough of them for the validation images
        row["role"] = "validation" if row["role"] == "train" or row["id"][1] == "1" else "test"
    write_table(LAYOUT.hole_split(), HOLE_SPLIT_COLUMNS, [list(row.values()) for row in holes])
    pairs = assign(
        split,
        holes,
        np.load(LAYOUT.holes()),
        bins={"1-20": [1, 2], "20-40": [3, 4]},
        seed=1,
        dataset="one",
    )
    write_rows(LAYOUT.assignment("one"), Pair, pairs)


def _save_untrained(name: str) -> None:
    config = load_config()
    network = build_network(config, LAYOUT, network=name, dataset="one")
    save_weights(LAYOUT.model("one", name), network)
    save_model_config(
        LAYOUT.model_config("one", name),
        ModelConfig(
            network=name,
            module=config.network(name).module,
            dataset="one",
            image_size=SIZE,
            perceptual="effnet-lite0",
            seed=0,
            options=resolved_options(config, name, images=1).model_dump(mode="json"),
            parameters=1,
        ),
    )


def test_the_memory_is_read_by_the_test_images_and_shown_by_training_images(project: Path) -> None:
    assert inspect_memory.main(ARGUMENTS) == 0
    use = load_memory_use(MEMORY)
    slots = load_config().options("mdrnets")["slots"]
    assert use.chosen.shape == (len(CLASSES), slots)
    reads = use.chosen.sum(axis=1)
    assert 0 < reads.max() <= len(read_assignment(LAYOUT.assignment("one")))
    for statistic in (use.entropy, use.length):
        assert (np.isnan(statistic) == (reads == 0)).all()
    assert use.entropy[reads > 0].max() <= np.log(slots) + 1e-6
    assert set(use.images.flat) - {NONE} <= set(TRAINING)
    assert use.regions.shape[-2:] == (SIZE, SIZE)


def test_the_parser_is_compared_on_labelled_validation_images(project: Path) -> None:
    assert inspect_parsing.main(ARGUMENTS) == 0
    result = read_parsing(PARSING)
    assert list(result) == [COMPLETE, "1-20", "20-40"]
    labels = np.load(LAYOUT.labels("one"))[1:]  # rows 3 to 5 of the images
    for classes in result.values():
        assert [c.name for c in classes] == list(CLASSES)
        assert [c.pixels for c in classes] == np.bincount(labels.ravel()).tolist()
        assert sum(c.predicted for c in classes) == labels.size
    assert result[COMPLETE] != result["20-40"]


def test_both_give_the_same_bytes_again(project: Path) -> None:
    contents = []
    for _ in range(2):
        assert inspect_memory.main(ARGUMENTS) == inspect_parsing.main(ARGUMENTS) == 0
        contents.append((MEMORY.read_bytes(), PARSING.read_bytes()))
    assert contents[0] == contents[1]


@pytest.mark.parametrize("stage", [inspect_memory, inspect_parsing])
def test_every_missing_input_is_named(
    project: Path, stage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    program = stage.__name__.removeprefix("stages.")
    inputs = Pipeline(load_config()).find(program, ARGUMENTS).inputs
    for path in set(inputs):
        hidden = path.rename(path.with_suffix(".hidden"))
        assert stage.main(ARGUMENTS) == 1, path
        assert f"error: {path}:" in capsys.readouterr().err
        hidden.rename(path)


def test_validation_scores_the_output_and_the_coarse_face(project: Path) -> None:
    assert validate.main(ARGUMENTS) == 0
    faces = load_refined_faces(LAYOUT.refined_faces(*ARGUMENTS))
    pairs = [
        pair
        for pair in read_assignment(LAYOUT.assignment("one"), role="validation")
        if pair.bin == "20-40"
    ]
    method = load_network(load_config(), LAYOUT, network="mdrnets", dataset="one")
    assert isinstance(method, MDRNets)
    assert faces.coarse is not None
    images, holes = np.load(LAYOUT.images("one")), np.load(LAYOUT.holes())
    expected = {"coarse": [], "output": []}
    for pair in pairs:  # one at a time
        original, missing = images[[pair.image_row]], holes[pair.hole_row]
        image, hole = to_tensor(original), torch.from_numpy(missing)[None, None].float()
        masked = image * (1 - hole)
        with torch.no_grad():
            coarse = method.complete_coarsely(masked, hole)
            output = method.complete(masked, hole, torch.Generator())
        for name, face in (("coarse", coarse), ("output", output)):
            error = to_pixels(face).astype(float) - original
            expected[name].append(np.abs(error[0][missing]).mean() / 2.55)
    np.testing.assert_allclose(faces.coarse.hole_l1, expected["coarse"], rtol=1e-4)
    np.testing.assert_allclose(faces.output.hole_l1, expected["output"], rtol=1e-4)
    assert not np.allclose(expected["coarse"], expected["output"])
    assert faces.output.features.shape == faces.coarse.features.shape == faces.truth.shape


def test_without_labelled_validation_images_it_says_so(
    project: Path, change: Callable[[Path, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    text = LAYOUT.assignment("one").read_text().replace("validation", "train")
    change(LAYOUT.assignment("one"), text)
    assert inspect_parsing.main(ARGUMENTS) == 1
    assert ": datasets.one.split.validation: " in capsys.readouterr().err


def test_a_method_without_a_memory_is_refused(
    project: Path, change: Callable[[Path, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in LAYOUT.model("one", "mdrnets"), LAYOUT.model_config("one", "mdrnets"):
        change(path, "")
    profile = Path("profiles/tiny.yaml")
    values = yaml.safe_load(profile.read_text(encoding="utf-8"))
    values["networks"]["mdrnets"]["memory"] = "none"
    change(profile, yaml.safe_dump(values, sort_keys=False))
    _save_untrained("mdrnets")
    assert inspect_memory.main(ARGUMENTS) == 1
    assert ": networks.mdrnets: " in capsys.readouterr().err
    assert not MEMORY.exists()


def test_a_method_that_is_not_mdrnets_is_refused(
    project: Path, change: Callable[[Path, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    values["methods"]["toy"]["memory"] = True
    change(Path("params.yaml"), yaml.safe_dump(values, sort_keys=False))
    for name in ("base", "toy"):
        _save_untrained(name)
    assert inspect_memory.main(["one", "toy"]) == 1
    assert ": methods.toy.memory: " in capsys.readouterr().err
