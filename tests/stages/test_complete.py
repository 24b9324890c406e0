import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mdrnets.data.assignment import read_assignment
from mdrnets.data.download import disk_space as space
from mdrnets.files import sha256
from mdrnets.methods.base import Trainable
from mdrnets.methods.model_files import save_weights
from stages.complete import main
from tests.helpers import toy
from tests.helpers.project import LAYOUT, SIZE, write_configuration, write_data
from tests.helpers.toy import new_toy
from tests.helpers.trained_toys import save_toy

OUTPUTS = [LAYOUT.completions("two", "toy"), LAYOUT.raw_outputs("two", "toy")]


@pytest.fixture
def project(process_state: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with trained (that is, saved) networks."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    write_data(tmp_path)
    for dataset, network in (("one", "base"), ("two", "toy")):
        save_toy(dataset, network)
    return tmp_path


def test_completions_lie_in_the_order_of_bins_and_assignment(project: Path) -> None:
    assert main(["two", "toy"]) == 0
    completions, raw = (np.load(path) for path in OUTPUTS)
    assert completions.shape == raw.shape == (2, 5, SIZE, SIZE, 3)
    assert completions.dtype == raw.dtype == np.uint8

    images, holes = np.load(LAYOUT.images("two")), np.load(LAYOUT.holes())
    pairs = read_assignment(LAYOUT.assignment("two"))
    assert len(pairs) == 10
    for at, pair in enumerate(pairs):
        bin_number, number = divmod(at, 5)
        hole, image = holes[pair.hole_row], images[pair.image_row]
        completion, output = completions[bin_number, number], raw[bin_number, number]
        assert np.array_equal(completion[~hole], image[~hole])
        assert np.array_equal(completion[hole], output[hole])
        assert not np.array_equal(output[~hole], image[~hole])


def test_they_are_the_same_each_time(project: Path) -> None:
    assert main(["two", "toy"]) == 0
    first = [sha256(path) for path in OUTPUTS]
    torch.manual_seed(77)
    assert main(["two", "toy"]) == 0
    assert [sha256(path) for path in OUTPUTS] == first


def test_a_failure_leaves_no_output(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = new_toy()
    torch.nn.init.constant_(broken.decoder.weight, torch.nan)
    save_weights(LAYOUT.model("two", "toy"), broken)
    assert main(["two", "toy"]) == 1
    first = read_assignment(LAYOUT.assignment("two"))[0]
    assert f"image {first.image}" in capsys.readouterr().err
    assert list(OUTPUTS[0].parent.iterdir()) == []


def test_a_full_disk_is_named_before_it_ends_the_process(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = shutil.disk_usage(project)._replace(free=1000)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda folder: usage)
    assert main(["two", "toy"]) == 1
    assert str(OUTPUTS[0].parent) in capsys.readouterr().err
    assert not any(path.exists() for path in OUTPUTS)


def test_a_network_that_is_no_method_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Part(Trainable):
        def __init__(self) -> None:
            super().__init__()
            for name, module in new_toy().named_children():
                self.add_module(name, module)
            for name, buffer in new_toy().named_buffers(recurse=False):
                self.register_buffer(name, buffer)

    monkeypatch.setattr(toy, "build", lambda *, options, context: Part())
    assert main(["two", "toy"]) == 1
    assert "error: toy: " in capsys.readouterr().err
