from pathlib import Path

import numpy as np
import pytest

from mdrnets.errors import UserError
from mdrnets.evaluation.summary import (
    BinSummary,
    Distances,
    Estimate,
    Summary,
    load_summary,
    over_trainings,
    save_summary,
)


def _summary(value: float = 1.5) -> Summary:
    estimate = Estimate(value=value, low=1, high=2, n=9)
    return Summary(
        dataset="faces",
        method="pconv",
        images=10,
        ssim="gaussian11_rgb",
        confidence=0.95,
        bins={
            "1-20": BinSummary(
                means={"psnr": Estimate(value=None, low=None, high=None, n=0, infinite=10)},
                distances=Distances(
                    frechet_name="FID",
                    frechet=estimate,
                    kernel_name="KID",
                    kernel=estimate,
                    dimensions=2048,
                    warning=None,
                ),
            )
        },
    )


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    save_summary(tmp_path / "pconv.json", _summary())
    assert load_summary(tmp_path / "pconv.json") == _summary()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "run the evaluate stage"),
        ("{", "JSON"),
        ('{"dataset": "faces"}', "method"),
        ("NaN", "content"),
    ],
)
def test_an_unusable_file_is_named(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "pconv.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message) as error:
        load_summary(path)
    assert str(path) in str(error.value)


def test_infinity_never_enters_the_file(tmp_path: Path) -> None:
    summary = _summary().model_copy(update={"confidence": float("inf")})
    with pytest.raises(ValueError, match="JSON compliant"):
        save_summary(tmp_path / "pconv.json", summary)
    assert not list(tmp_path.iterdir())


def test_one_training_stays_as_it_is() -> None:
    assert over_trainings([_summary()]) == _summary()


def test_of_several_trainings_mean_and_standard_deviation_remain() -> None:
    one_bin = over_trainings([_summary(value) for value in (1.0, 2.0, 6.0)]).bins["1-20"]
    spread = np.std([1, 2, 6], ddof=1)
    for estimate in (one_bin.distances.frechet, one_bin.distances.kernel):
        assert (estimate.value, estimate.n) == (3, 27)
        assert estimate.low == pytest.approx(3 - spread)
        assert estimate.high == pytest.approx(3 + spread)
    assert one_bin.means["psnr"] == Estimate(value=None, low=None, high=None, n=0, infinite=30)
