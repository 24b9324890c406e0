import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mdrnets.data.assignment import read_assignment, select
from mdrnets.evaluation.scores import METRICS
from mdrnets.evaluation.summary import load_summary
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.tracking.inputs import TAKE_CHANGED
from mdrnets.tracking.record import read
from stages import evaluate, features
from tests.helpers.project import LAYOUT, SIZE, write_configuration, write_data

BINS = ["1-20", "20-40"]
COMPLETIONS = LAYOUT.completions("two", "toy")
RAW = LAYOUT.raw_outputs("two", "toy")
TRUTH = LAYOUT.true_features("two")
OUTPUTS = [
    LAYOUT.scores("two", "toy"),
    LAYOUT.summary("two", "toy"),
    LAYOUT.features("two", "toy"),
]


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose completions are evaluated, to be looked at but not changed."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        threads = torch.get_num_threads()
        _write_project(folder)
        assert features.main(["two"]) == 0
        assert evaluate.main(["two", "toy"]) == 0
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(threads)
    return folder


@pytest.fixture
def project(
    process_state: None, project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of it without the outputs of the stage."""
    folder = tmp_path / "copy"
    shutil.copytree(project_folder, folder)
    monkeypatch.chdir(folder)
    for path in OUTPUTS:
        path.unlink()
    return folder


def _write_project(folder: Path) -> None:
    """Completions are the ground truth with noise in the holes; one of them is perfect."""
    write_configuration(folder)
    write_data(folder)
    images, holes = np.load(LAYOUT.images("two")), np.load(LAYOUT.holes())
    pairs = read_assignment(LAYOUT.assignment("two"))
    truth, hole = select(pairs, images, holes)
    noise = np.random.default_rng(1).integers(-60, 61, size=truth.shape)
    raw = np.clip(truth + noise, 0, 255).astype(np.uint8)
    raw[2] = truth[2]
    completions = np.where(hole[..., None], raw, truth)
    COMPLETIONS.parent.mkdir(parents=True)
    shape = (2, 5, SIZE, SIZE, 3)
    np.save(COMPLETIONS, completions.reshape(shape))
    np.save(RAW, raw.reshape(shape))


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / OUTPUTS[0]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_is_a_row_for_each_image_in_each_bin(project_folder: Path) -> None:
    rows = _rows(project_folder)
    pairs = read_assignment(project_folder / LAYOUT.assignment("two"))
    assert [(r["image"], r["bin"], r["hole"], float(r["ratio"])) for r in rows] == [
        (p.image, p.bin, p.hole, p.ratio) for p in pairs
    ]


def test_the_summary_is_that_of_the_rows(project_folder: Path) -> None:
    summary = load_summary(project_folder / OUTPUTS[1])
    assert (summary.dataset, summary.method, summary.images) == ("two", "toy", 5)
    assert list(summary.bins) == BINS
    for name, one_bin in summary.bins.items():
        rows = [row for row in _rows(project_folder) if row["bin"] == name]
        for metric in METRICS:
            values = np.array([float(row[metric]) for row in rows])
            finite = values[np.isfinite(values)]
            assert one_bin.means[metric].value == pytest.approx(finite.mean())
            assert one_bin.means[metric].n + one_bin.means[metric].infinite == 5


def test_the_scores_are_in_the_record_and_so_in_mlflow(project_folder: Path) -> None:
    record = read(project_folder / LAYOUT.records / "evaluate-two-toy.json")
    assert record is not None
    for name, one_bin in load_summary(project_folder / OUTPUTS[1]).bins.items():
        assert record.measurements[f"psnr {name}"] == one_bin.means["psnr"].value
        assert record.measurements[f"frechet {name}"] == one_bin.distances.frechet.value


def test_the_perfect_completion_is_counted_apart(project_folder: Path) -> None:
    means = load_summary(project_folder / OUTPUTS[1]).bins["1-20"].means
    assert {metric for metric in METRICS if means[metric].infinite} == {
        "psnr",
        "hole_psnr",
        "raw_psnr",
    }
    assert means["psnr"].infinite == 1
    assert "Infinity" not in (project_folder / OUTPUTS[1]).read_text(encoding="utf-8")


def test_features_lie_in_the_order_of_bins_and_images(project_folder: Path) -> None:
    truth, result = np.load(project_folder / TRUTH), np.load(project_folder / OUTPUTS[2])
    assert (truth.shape, result.shape) == ((5, 1280), (2, 5, 1280))
    assert truth.dtype == result.dtype == np.float32
    np.testing.assert_allclose(result[0, 2], truth[2], rtol=1e-4, atol=1e-4)  # the perfect one
    bins = load_summary(project_folder / OUTPUTS[1]).bins
    for number, name in enumerate(BINS):
        distances = bins[name].distances
        assert distances.frechet.value == pytest.approx(frechet_distance(result[number], truth))
        assert distances.frechet_name == "FD(effnet-lite0)"
        assert distances.warning is not None


def test_it_gives_the_same_bytes_again(project_folder: Path, project: Path) -> None:
    assert evaluate.main(["two", "toy"]) == 0
    for path in OUTPUTS:
        assert path.read_bytes() == (project_folder / path).read_bytes()


def test_a_completion_that_changed_valid_pixels_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(RAW, COMPLETIONS)  # outputs before compositing
    assert evaluate.main(["two", "toy"]) == 1
    error = capsys.readouterr().err
    pair = read_assignment(LAYOUT.assignment("two"))[0]
    assert f"{COMPLETIONS}: image {pair.image} in bin 1-20" in error
    assert not any(path.exists() for path in OUTPUTS)


def test_features_with_nan_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TAKE_CHANGED, "1")
    truth = np.load(TRUTH)
    truth[1, 7] = np.nan
    np.save(TRUTH, truth)
    assert evaluate.main(["two", "toy"]) == 1
    error = capsys.readouterr().err
    assert f"error: {TRUTH}:" in error
    assert "stages.features --profile tiny two" in error


def test_fid_without_its_weights_is_an_error_and_no_other_distance(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = Path("profiles/tiny.yaml")
    text = profile.read_text(encoding="utf-8")
    profile.write_text(
        text.replace("frechet: effnet-lite0", "frechet: inception-v3"), encoding="utf-8"
    )
    for main, arguments in ((features.main, ["two"]), (evaluate.main, ["two", "toy"])):
        assert main(arguments) == 1
        assert "inception_v3" in capsys.readouterr().err
    assert not any(path.exists() for path in OUTPUTS)
