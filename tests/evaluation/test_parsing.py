from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from mdrnets.data.classes import CLASSES
from mdrnets.errors import UserError
from mdrnets.evaluation.parsing import (
    COMPLETE,
    ParsedClass,
    count_classes,
    mean_iou,
    read_parsing,
)
from mdrnets.files.tables import write_rows

SKIN, BROW, EYE = 1, 2, 3


def test_pixels_are_counted_by_class() -> None:
    labels = np.array([[[SKIN, SKIN], [SKIN, EYE]], [[SKIN, SKIN], [SKIN, SKIN]]])
    parsed = np.array([[[SKIN, EYE], [SKIN, EYE]], [[SKIN, SKIN], [SKIN, BROW]]])
    classes = count_classes(COMPLETE, labels, parsed)
    assert [c.name for c in classes] == list(CLASSES)
    assert classes[SKIN] == ParsedClass(COMPLETE, "skin", 2, 7, 5, 5)
    assert classes[BROW] == ParsedClass(COMPLETE, "brow", 0, 0, 1, 0)
    assert classes[EYE] == ParsedClass(COMPLETE, "eye", 1, 1, 2, 1)
    assert classes[SKIN].iou == pytest.approx(5 / 7)
    assert classes[BROW].iou == 0
    assert classes[EYE].iou == pytest.approx(1 / 2)
    assert np.isnan(classes[0].iou)
    assert mean_iou(classes) == pytest.approx((5 / 7 + 1 / 2) / 2)  # no label map has a brow


def test_it_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    labels, parsed = generator.integers(0, len(CLASSES), (2, 3, 16, 16))
    expected = jaccard_score(
        labels.ravel(), parsed.ravel(), average=None, labels=range(len(CLASSES))
    )
    classes = count_classes("1-20", labels, parsed)
    np.testing.assert_allclose([c.iou for c in classes], expected)
    assert mean_iou(classes) == pytest.approx(expected.mean())


def test_no_label_map_has_no_mean() -> None:
    assert np.isnan(mean_iou([ParsedClass(COMPLETE, "skin", 0, 0, 4, 0)]))


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "parsing.csv"
    classes = [ParsedClass(name, "skin", 2, 7, 5, 5) for name in (COMPLETE, "1-20")]
    write_rows(path, ParsedClass, classes)
    assert read_parsing(path) == {COMPLETE: classes[:1], "1-20": classes[1:]}
    with pytest.raises(UserError, match=r"other\.csv"):
        read_parsing(tmp_path / "other.csv")
