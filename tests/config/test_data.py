from typing import Any

import pytest

from mdrnets.config.data import Holes, Labels, Source, Split
from tests.config.conftest import URL


@pytest.mark.parametrize(
    ("shares", "fine"),
    [((0.6, 0.1, 0.3), True), ((0.6, 0.1, 0.2), False), ((0.8, 0.1, 0.2), False)],
)
def test_shares_of_holes_add_up_to_one(shares: tuple[float, float, float], fine: bool) -> None:
    train, validation, test = shares
    values = {"source": "holes", "per_step": 1}
    values |= {"train": train, "validation": validation, "test": test}
    if fine:
        assert Holes.model_validate(values).test == test
    else:
        with pytest.raises(ValueError, match=r"train \+ validation \+ test"):
            Holes.model_validate(values)


def test_training_holes_come_from_a_share_or_from_a_source() -> None:
    values = {"source": "holes", "per_step": 1, "validation": 0.1, "test": 0.9}
    training = {"source": "masks", "polarity": "white_is_valid", "threshold": 0.6}
    assert Holes.model_validate(values | {"training": training}).training
    for wrong in ({}, {"training": training, "train": 0.1}):
        with pytest.raises(ValueError, match="`train` or `training`"):
            Holes.model_validate(values | wrong)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"url": URL, "path": "faces.zip"}, "`path` and `url`"),
        ({"url": "https://example.org/download?id=1"}, "file: "),
        ({"url": "ftp://example.org/faces.zip"}, "url"),
        ({"url": URL, "file": "../faces.zip"}, "file"),
        ({"url": URL, "file": ".."}, "file"),
        ({"url": "https://example.org/faces/.."}, "file"),
        ({"kind": "ffhq_metadata"}, "url: "),
        ({"downscale": 64}, "folder: "),
        ({"sha256": "397923af"}, "sha256"),
        ({"md5": "1234"}, "md5"),
    ],
)
def test_a_source_is_consistent(keys: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Source.model_validate({"licence": "MIT"} | keys)


def test_a_source_may_have_several_addresses() -> None:
    mirror = "https://mirror.example.org/x?dl=1"
    source = Source.model_validate({"url": [f"{URL}?dl=1", mirror], "licence": "MIT"})
    assert source.url == (f"{URL}?dl=1", mirror)
    assert source.file_name == "faces.zip"
    assert Source.model_validate({"url": URL, "file": "b.zip", "licence": ""}).file_name == "b.zip"


def test_the_number_of_test_images_belongs_to_the_rule_last() -> None:
    assert Split(rule="last", test=5, validation=0).test == 5
    assert Split(rule="celebahq", test_every=10, validation=0).test is None
    for rule, test in (("last", None), ("celebahq", 5)):
        with pytest.raises(ValueError, match="test: "):
            Split.model_validate({"rule": rule, "test": test, "validation": 0})


def test_every_nth_test_image_belongs_to_the_rule_celebahq() -> None:
    with pytest.raises(ValueError, match="test_every: "):
        Split(rule="last", test=5, test_every=10, validation=0)


def test_label_classes_are_known_ones() -> None:
    with pytest.raises(ValueError, match="classes"):
        Labels.model_validate({"source": "faces", "classes": "all"})
