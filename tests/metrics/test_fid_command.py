"""FID as the `pytorch_fid` command computes it, from the same folders of PNG files."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_fid import fid_score, inception

from mdrnets.metrics.features import BATCH, InceptionFeatures, extract_features
from mdrnets.metrics.frechet import frechet_distance
from tests.helpers.random_inception import random_weights


def _folder(path: Path, count: int, *, seed: int, bright: int) -> Path:
    """Blotches of colour, which Inception tells apart better than noise."""
    path.mkdir()
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = rng.integers(bright, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((40, 40)).save(path / f"{number:02}.png")
    return path


def _images(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])


@pytest.mark.slow  # pytorch_fid takes the root of a matrix of 2,048²
def test_it_equals_the_pytorch_fid_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = random_weights()
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda url, progress: weights)
    truth = _folder(tmp_path / "truth", 12, seed=0, bright=0)
    completed = _folder(tmp_path / "completed", 10, seed=1, bright=80)
    arguments = ["--device", "cpu", "--num-workers", "0", "--batch-size", str(BATCH)]
    monkeypatch.setattr(sys, "argv", ["pytorch_fid", str(truth), str(completed), *arguments])
    fid_score.main()
    expected = float(capsys.readouterr().out.partition("FID:")[2])

    network = InceptionFeatures(weights=weights)
    a, b = (
        extract_features(network, _images(folder), device=torch.device("cpu"))
        for folder in (truth, completed)
    )
    assert expected > 1
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-3)
