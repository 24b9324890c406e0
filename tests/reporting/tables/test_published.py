import csv
import re
from itertools import product
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.config.protocol import Protocol
from mdrnets.errors import UserError
from mdrnets.layout import PUBLISHED_TABLE1
from mdrnets.reporting.tables.published import COLUMNS, Published, load_published

DATASETS = ("CelebA-HQ", "FFHQ")
METHODS = ("pconv", "deepfillv2", "pic", "ctsdg", "dsi", "ict", "mdrnets")
METRICS = ("L1", "FID", "PSNR", "SSIM")
BINS = ("1-20", "20-40", "40-60")


@pytest.fixture(scope="module")
def published() -> Published:
    return load_published()


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_config().protocol


def test_every_number_of_table_1_is_there_once(published: Published) -> None:
    assert list(published) == list(product(DATASETS, METHODS, METRICS, BINS))
    with PUBLISHED_TABLE1.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 7 * 4 * 3
    assert all(re.fullmatch(r"\d+\.\d{3}", row["value"]) for row in rows)


def test_names_are_those_of_the_protocol(protocol: Protocol) -> None:
    assert set(METHODS) <= set(protocol.methods)
    assert tuple(protocol.bins) == BINS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (("CelebA-HQ", "pconv", "L1", "1-20"), 1.131),
        (("CelebA-HQ", "deepfillv2", "FID", "40-60"), 29.243),
        (("CelebA-HQ", "ctsdg", "PSNR", "20-40"), 26.823),
        (("CelebA-HQ", "mdrnets", "SSIM", "40-60"), 0.800),
        (("FFHQ", "pic", "FID", "20-40"), 14.344),
        (("FFHQ", "ctsdg", "L1", "1-20"), 0.419),
        (("FFHQ", "dsi", "SSIM", "1-20"), 0.941),
        (("FFHQ", "ict", "PSNR", "40-60"), 21.809),
        (("FFHQ", "mdrnets", "L1", "1-20"), 0.470),
    ],
)
def test_numbers_are_as_printed(
    published: Published, key: tuple[str, str, str, str], value: float
) -> None:
    assert published[key] == value


def test_the_papers_claims_hold_in_its_own_numbers(published: Published) -> None:
    """First in 23 of 24 columns, with the margins that its text states at 40-60 %."""
    first, margins = 0, {}
    for dataset, metric, bin_ in product(DATASETS, METRICS, BINS):
        sign = 1 if metric in ("PSNR", "SSIM") else -1
        others = [sign * published[dataset, method, metric, bin_] for method in METHODS[:-1]]
        margin = sign * published[dataset, "mdrnets", metric, bin_] - max(others)
        first += margin > 0
        margins[dataset, metric, bin_] = sign * margin
    assert first == 23
    stated = {
        "CelebA-HQ": {"L1": -0.963, "FID": -4.661, "PSNR": 1.687, "SSIM": 0.035},
        "FFHQ": {"L1": -0.501, "FID": -0.401, "PSNR": 1.303, "SSIM": 0.032},
    }
    for dataset, metric in product(DATASETS, METRICS):
        assert margins[dataset, metric, "40-60"] == pytest.approx(stated[dataset][metric])


def test_errors_grow_with_the_hole(published: Published) -> None:
    for dataset, method, metric in product(DATASETS, METHODS, METRICS):
        values = [published[dataset, method, metric, bin_] for bin_ in BINS]
        assert values == sorted(values, reverse=metric in ("PSNR", "SSIM"))


def test_a_bad_value_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table1.csv"
    path.write_text(f"{','.join(COLUMNS)}\nFFHQ,pic,L1,1-20,?\n", encoding="utf-8")
    with pytest.raises(UserError, match="FFHQ, pic, L1, 1-20: expected a number"):
        load_published(path)
