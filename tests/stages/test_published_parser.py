"""A parser of published weights passes through the stage that trains the others."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from mdrnets.methods.building import load_network
from stages import train
from tests.helpers.project import edit_yaml
from tests.helpers.published_weights import published_weights

LAYOUT = Layout("smoke")


@pytest.fixture
def project(configs: Path) -> Path:
    """Three labelled images, a hole, and a profile that takes the published parser."""
    weights = {"kind": "weights", "path": "79999_iter.pth", "licence": "MIT"}
    with edit_yaml("profiles/smoke.yaml") as profile:
        profile["sources"]["bisenet"] = weights
        profile["networks"]["parser"] = {"published": True}

    write_table(
        LAYOUT.split("rendered_a"), SPLIT_COLUMNS, [(str(n), "train", 1, str(n)) for n in range(3)]
    )
    write_table(LAYOUT.hole_split(), HOLE_SPLIT_COLUMNS, [("0", 1, "train", "0")])
    LAYOUT.holes().parent.mkdir(parents=True)
    np.save(LAYOUT.images("rendered_a"), np.zeros((3, 32, 32, 3), dtype=np.uint8))
    np.save(LAYOUT.labels("rendered_a"), np.zeros((3, 32, 32), dtype=np.uint8))
    np.save(LAYOUT.holes(), np.eye(32, dtype=bool)[None])
    LAYOUT.weights("bisenet").parent.mkdir()
    return configs


def test_published_weights_are_saved_as_a_trained_parser(project: Path) -> None:
    weights = published_weights()
    torch.save(weights, LAYOUT.weights("bisenet"))
    config = load_config("smoke")
    inputs = Pipeline(config).find("train", ["rendered_a", "parser"]).inputs
    assert LAYOUT.weights("bisenet") in inputs

    assert train.main(["rendered_a", "parser", "--profile", "smoke"]) == 0
    assert LAYOUT.history("rendered_a", "parser").read_text() == "phase,step\n"
    parser = load_network(config, LAYOUT, network="parser", dataset="rendered_a")
    result = parser.state_dict()["network.head.classify.weight"]
    assert torch.equal(result, weights["conv_out.conv_out.weight"])
    ids = parser.parse(torch.zeros(1, 3, 32, 32))
    assert ids.shape == (1, 32, 32) and int(ids.max()) < 14


def test_another_file_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"fc.weight": torch.zeros(1)}, LAYOUT.weights("bisenet"))
    assert train.main(["rendered_a", "parser", "--profile", "smoke"]) == 1
    assert "context.resnet.stem.0.0.weight" in capsys.readouterr().err
