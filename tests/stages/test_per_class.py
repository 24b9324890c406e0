from pathlib import Path

import numpy as np
import pytest
import torch

from mdrnets.data.assignment import read_assignment, select
from mdrnets.data.dataset import SPLIT_COLUMNS
from mdrnets.evaluation.class_scores import ClassScore, read_class_scores
from mdrnets.files.tables import field_names, read_table, write_table
from mdrnets.methods.mdrnets import parser
from mdrnets.methods.model_files import ModelConfig, save_model_config, save_weights
from stages.per_class import main
from tests.helpers.project import LAYOUT, SIZE, edit_yaml, write_configuration, write_data

NETWORKS = ["toy", "toy@seed2", "toy@blind", "toy@blind@seed2"]
OUTPUT = LAYOUT.per_class("one")


@pytest.fixture
def project(process_state: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Completions of a method and of a variant; all test images but the last are annotated."""
    monkeypatch.chdir(tmp_path)
    _configure(tmp_path)
    write_data(tmp_path)
    split = read_table(LAYOUT.split("one"), SPLIT_COLUMNS)
    rows = [[r["id"], r["role"], int(r["id"] != "00011"), r["sha256"]] for r in split]
    write_table(LAYOUT.split("one"), SPLIT_COLUMNS, rows)
    np.save(LAYOUT.labels("one"), _labels())
    _save_parser()

    images, holes = np.load(LAYOUT.images("one")), np.load(LAYOUT.holes())
    pairs = read_assignment(LAYOUT.assignment("one"))
    truth, hole = select(pairs, images, holes)
    LAYOUT.completions("one", "toy").parent.mkdir(parents=True)
    for error, name in enumerate(NETWORKS, start=1):
        completed = np.where(
            hole[..., None], truth ^ error, truth
        )  # L1 depends on the network alone
        np.save(LAYOUT.completions("one", name), completed.reshape(2, 5, SIZE, SIZE, 3))
    return tmp_path


def _configure(folder: Path) -> None:
    write_configuration(folder)
    with edit_yaml("params.yaml") as params:
        params["components"]["parser"] = {
            "title": "Parser",
            "module": parser.__name__,
            "dataset": 0,
            "labels": True,
        }
        params["methods"]["toy"]["uses"] = ["base", "parser"]
        params["ablation_base"] = "toy"
        params["variants"] = {"blind": {"title": "w/o memory", "options": {"width": 2}}}
        params["ablations"] = {"table2": {"title": "Table 2", "rows": ["blind", "full"]}}
        params["per_class"] = {"baseline": "blind", "parser": "parser", "min_images": 3}
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile |= {"variants": ["blind"], "seeds": 2}
        labels = {"source": "noise", "classes": "mdrnets14"}
        profile["datasets"]["one"] = profile["datasets"]["one"] | {"labels": labels}
        profile["networks"]["parser"] = {"steps": 1, "batch_size": 2}


def _labels() -> np.ndarray:
    """Skin, an eye of four pixels in every hole, and hair that no hole covers entirely."""
    labels = np.ones((11, SIZE, SIZE), dtype=np.uint8)
    labels[:, 5, 10:14] = 3
    labels[:, :, 31] = 12
    return labels


def _save_parser() -> None:
    """Untrained: it finds what it finds."""
    torch.manual_seed(0)
    options = parser.Options(steps=1, batch_size=2, width=4)
    network = parser.Parser(
        network=parser.BiSeNet(n_classes=14, width=options.width), options=options
    )
    save_weights(LAYOUT.model("one", "parser"), network)
    config = ModelConfig(
        network="parser",
        module=parser.__name__,
        dataset="one",
        image_size=SIZE,
        perceptual="effnet-lite0",
        seed=1,
        options=options.model_dump(mode="json"),
        parameters=1,
    )
    save_model_config(LAYOUT.model_config("one", "parser"), config)


def test_annotated_classes_in_the_hole_are_scored_for_every_training(project: Path) -> None:
    assert main(["one"]) == 0
    scores = read_class_scores(OUTPUT, NETWORKS)
    holes = np.load(LAYOUT.holes())
    covered = [
        (pair.image, pair.bin)
        for pair in read_assignment(LAYOUT.assignment("one"))
        if pair.image != "00011" and holes[pair.hole_row][5, 10:14].all()
    ]
    assert covered
    for error, name in enumerate(NETWORKS, start=1):
        annotated = [score for score in scores[name] if score.source == "annotated"]
        assert [(score.image, score.bin) for score in annotated] == covered
        assert {(score.label, score.pixels) for score in annotated} == {("eye", 4)}
        if error in (1, 2, 4):  # one bit: every pixel is off by as much
            expected = [100 * error / 255] * len(covered)
            assert [score.l1 for score in annotated] == pytest.approx(expected)


def test_an_image_without_annotation_is_parsed(project: Path) -> None:
    assert main(["one"]) == 0
    scores = read_class_scores(OUTPUT, NETWORKS)["toy"]
    assert {score.image for score in scores if score.source == "parsed"} <= {"00011"}
    np.save(LAYOUT.labels("one"), np.zeros((0, SIZE, SIZE), dtype=np.uint8))
    split = read_table(LAYOUT.split("one"), SPLIT_COLUMNS)
    rows = [[r["id"], r["role"], 0, r["sha256"]] for r in split]
    write_table(LAYOUT.split("one"), SPLIT_COLUMNS, rows)
    assert main(["one"]) == 0
    assert {r["source"] for r in read_table(OUTPUT, field_names(ClassScore))} <= {"parsed"}


def test_it_gives_the_same_bytes_again(project: Path) -> None:
    contents = []
    for _ in range(2):
        assert main(["one"]) == 0
        contents.append(OUTPUT.read_bytes())
    assert contents[0] == contents[1]
