import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from mdrnets.config.protocol import Bootstrap
from mdrnets.data.assignment import Pair
from mdrnets.errors import UserError
from mdrnets.evaluation.features import write_features
from mdrnets.evaluation.scores import (
    METRICS,
    Score,
    check_enough,
    read_array,
    score_pairs,
    summarise_bin,
)
from mdrnets.evaluation.summary import BinSummary
from mdrnets.files.tables import field_names, write_rows
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.kid import kernel_distance

SIZE = 16
COUNT = 18  # more than one batch
SOURCE = Path("completions/faces/some.npy")
BOOTSTRAP = Bootstrap(resamples=200, confidence=0.95)


@dataclass(frozen=True)
class Case:
    """A bin of one method: image k of the pairs is row k + 2, its hole row k + 1."""

    pairs: list[Pair]
    images: np.ndarray
    holes: np.ndarray
    completions: np.ndarray
    outputs: np.ndarray

    def scores(
        self, completions: np.ndarray | None = None, pairs: Sequence[Pair] | None = None
    ) -> list[Score]:
        return score_pairs(
            self.pairs if pairs is None else pairs,
            self.completions if completions is None else completions,
            self.outputs,
            images=self.images,
            holes=self.holes,
            variant="gaussian11_rgb",
            device=torch.device("cpu"),
            source=SOURCE,
        )


@pytest.fixture
def case() -> Case:
    generator = np.random.default_rng(0)
    images = generator.integers(256, size=(COUNT + 2, SIZE, SIZE, 3), dtype=np.uint8)
    holes = generator.random((COUNT + 1, SIZE, SIZE)) < 0.3
    truth, hole = images[2:], holes[1:]
    noise = generator.integers(-20, 21, size=truth.shape)
    outputs = np.clip(truth + noise, 0, 255).astype(np.uint8)
    pairs = [
        Pair(f"face{k}", k + 2, "20-40", f"hole{k}", k + 1, float(hole[k].mean()), "test")
        for k in range(COUNT)
    ]
    completions = np.where(hole[..., None], outputs, truth)
    return Case(pairs, images, holes, completions, outputs)


def test_every_score_is_the_reference_librarys(case: Case) -> None:
    for k, score in enumerate(case.scores()):
        truth, completion = case.images[k + 2], case.completions[k]
        output, hole = case.outputs[k], case.holes[k + 1]
        assert (score.image, score.bin, score.hole) == (f"face{k}", "20-40", f"hole{k}")
        assert score.ratio == hole.mean()
        for prefix, image in (("", completion), ("raw_", output)):
            result = {name: getattr(score, f"{prefix}{name}") for name in ("l1", "psnr", "ssim")}
            expected = {
                "l1": 100 * np.abs(image / 255 - truth / 255).mean(),
                "psnr": peak_signal_noise_ratio(truth, image, data_range=255),
                "ssim": structural_similarity(
                    truth,
                    image,
                    data_range=255,
                    channel_axis=-1,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                ),
            }
            assert result == pytest.approx(expected, rel=1e-9)
        inside = np.abs(completion[hole] / 255 - truth[hole] / 255)
        assert score.hole_l1 == pytest.approx(100 * inside.mean())
        assert score.hole_psnr == pytest.approx(-10 * np.log10(np.square(inside).mean()))


def test_a_changed_valid_pixel_is_named(case: Case) -> None:
    completions = case.completions.copy()
    row, column = np.argwhere(~case.holes[17 + 1])[5]
    completions[17, row, column, 1] ^= 1
    with pytest.raises(UserError) as error:
        case.scores(completions)
    for part in (str(SOURCE), "face17", "bin 20-40", "1 pixels", "hole17"):
        assert part in str(error.value)


def test_an_empty_hole_is_named(case: Case) -> None:
    case.holes[3] = False
    with pytest.raises(UserError, match="hole2 of bin 20-40"):
        case.scores()


def test_scores_are_kept_to_the_last_digit(case: Case, tmp_path: Path) -> None:
    scores = [*case.scores(), *case.scores(case.images[2:].copy())]
    write_rows(tmp_path / "a.csv", Score, scores)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == field_names(Score)
    for row, score in zip(rows, scores, strict=True):
        assert {name: float(row[name]) for name in METRICS} == {
            name: getattr(score, name) for name in METRICS
        }
    assert rows[-1]["psnr"] == "inf"


# -- summaries -------------------------------------------------------------------------------


def _features(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(COUNT, 30)).astype(np.float32)


def _summary(scores: Sequence[Score], network: str = "effnet-lite0", seed: int = 5) -> BinSummary:
    return summarise_bin(
        scores,
        _features(1),
        _features(2),
        network=network,
        bootstrap=BOOTSTRAP,
        halves=30,
        seed=seed,
    )


def test_means_are_over_images_with_an_interval_around_them(case: Case) -> None:
    scores = case.scores()
    summary = _summary(scores)
    assert set(summary.means) == set(METRICS)
    for metric, estimate in summary.means.items():
        values = [getattr(score, metric) for score in scores]
        assert estimate.value == pytest.approx(np.mean(values))
        assert estimate.low is not None and estimate.high is not None
        assert min(values) <= estimate.low < np.mean(values) < estimate.high <= max(values)
        assert (estimate.n, estimate.infinite) == (COUNT, 0)


def test_an_infinite_psnr_is_counted_and_never_averaged(case: Case) -> None:
    completions = case.completions.copy()
    completions[4] = case.images[4 + 2]
    scores = case.scores(completions)
    psnr = _summary(scores).means["psnr"]
    finite = [score.psnr for score in scores if np.isfinite(score.psnr)]
    assert (psnr.n, psnr.infinite) == (COUNT - 1, 1)
    assert psnr.value == pytest.approx(np.mean(finite))
    assert _summary(scores).means["l1"].n == COUNT


def test_perfect_completions_have_no_error_and_no_mean_psnr(case: Case) -> None:
    means = _summary(case.scores(case.images[2:].copy())).means
    assert (means["l1"].value, means["hole_l1"].value) == (0, 0)
    assert means["ssim"].value == pytest.approx(1, abs=1e-12)
    for metric in ("psnr", "hole_psnr"):
        estimate = means[metric]
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
        assert (estimate.n, estimate.infinite) == (0, COUNT)


def test_distances_are_between_completions_and_ground_truth(case: Case) -> None:
    distances = _summary(case.scores()).distances
    a, b = _features(1), _features(2)
    for estimate, distance in (
        (distances.frechet, frechet_distance(a, b)),
        (distances.kernel, kernel_distance(a, b)),
    ):
        assert estimate.value == pytest.approx(distance)
        assert estimate.low is not None and estimate.high is not None
        assert estimate.low < distance < estimate.high
        assert estimate.n == COUNT
    assert distances.dimensions == 30


def test_distances_of_identical_images_are_zero(case: Case) -> None:
    features = _features(1)
    summary = summarise_bin(
        case.scores(),
        features,
        features.copy(),
        network="inception-v3",
        bootstrap=BOOTSTRAP,
        halves=30,
        seed=5,
    )
    assert summary.distances.frechet.value == pytest.approx(0, abs=1e-6)
    assert summary.distances.frechet.low == 0
    assert summary.distances.kernel.value == pytest.approx(0, abs=1e-12)


def test_only_inceptions_distance_is_called_fid(case: Case) -> None:
    distances = _summary(case.scores(), "inception-v3").distances
    assert (distances.frechet_name, distances.kernel_name) == ("FID", "KID")
    distances = _summary(case.scores(), "effnet-lite0").distances
    assert distances.frechet_name == "FD(effnet-lite0)"
    assert distances.kernel_name == "KD(effnet-lite0)"


def test_few_images_for_the_dimensions_give_a_warning(case: Case) -> None:
    warning = _summary(case.scores()).distances.warning
    assert warning is not None
    assert f"{COUNT} images for 30 dimensions" in warning
    enough = summarise_bin(
        case.scores(),
        _features(1)[:, :1],
        _features(2)[:, :1],
        network="effnet-lite0",
        bootstrap=BOOTSTRAP,
        halves=30,
        seed=5,
    )
    assert enough.distances.warning is None


def test_a_summary_depends_on_its_seed_alone(case: Case) -> None:
    scores = case.scores()
    assert _summary(scores) == _summary(scores)
    assert _summary(scores).means["l1"] != _summary(scores, seed=6).means["l1"]
    assert _summary(scores).means["l1"].value == _summary(scores, seed=6).means["l1"].value


# -- files -----------------------------------------------------------------------------------


def test_an_array_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "features.npy"
    write_features(path, _features(1))
    result = read_array(path, shape=(COUNT, 30), dtype="float32", stage="make it")
    assert np.array_equal(result, _features(1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "file not found; run `make it`"),
        (b"no array", "features\\.npy: "),
        (np.zeros((2, 4), np.float32), "expected float32 of 2×3, found float32 of 2×4"),
        (np.zeros((2, 3)), "expected float32 of 2×3, found float64 of 2×3"),
        (np.full((2, 3), np.nan, np.float32), "NaN"),
    ],
)
def test_an_unusable_array_is_named(
    content: bytes | np.ndarray | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "features.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(UserError, match=message) as error:
        read_array(path, shape=(2, 3), dtype="float32", stage="make it")
    assert str(path) in str(error.value)


def test_too_few_test_images_are_refused(case: Case) -> None:
    check_enough({"20-40": case.pairs[:4]}, SOURCE)
    with pytest.raises(UserError, match="bin 20-40"):
        check_enough({"20-40": case.pairs[:3]}, SOURCE)
