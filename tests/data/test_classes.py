import numpy as np
import pytest

from mdrnets.data.classes import CELEBAMASK_CLASSES, CLASSES, merge_celebamask_classes
from mdrnets.errors import UserError


def _merged(name: str) -> str:
    labels = np.array([CELEBAMASK_CLASSES.index(name)], dtype=np.uint8)
    return CLASSES[merge_celebamask_classes(labels)[0]]


def test_there_are_14_different_classes_and_background_is_0() -> None:
    assert len(set(CLASSES)) == 14
    assert CLASSES[0] == "background"


def test_celebamask_ids_are_in_the_published_order() -> None:
    assert CELEBAMASK_CLASSES[:6] == ("background", "skin", "nose", "eye_g", "l_eye", "r_eye")
    assert CELEBAMASK_CLASSES[10:] == (
        *("mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth"),
    )


def test_every_class_of_ours_is_reached() -> None:
    everything = merge_celebamask_classes(np.arange(19, dtype=np.uint8))
    assert set(everything.tolist()) == set(range(14))


@pytest.mark.parametrize("part", ["eye", "brow", "ear"])
def test_left_and_right_are_merged(part: str) -> None:
    assert _merged(f"l_{part}") == _merged(f"r_{part}") == part


def test_jewellery_goes_where_it_hangs() -> None:
    assert _merged("ear_r") == "ear"
    assert _merged("neck_l") == "neck"
    assert _merged("eye_g") == "glasses"


def test_shape_and_type_stay() -> None:
    merged = merge_celebamask_classes(np.full((2, 3, 4), 18, dtype=np.uint8))
    assert merged.shape == (2, 3, 4)
    assert merged.dtype == np.uint8
    assert merge_celebamask_classes(np.zeros((0, 4), dtype=np.uint8)).shape == (0, 4)


@pytest.mark.parametrize("wrong", [19, 255])
def test_an_unknown_id_is_named(wrong: int) -> None:
    with pytest.raises(UserError, match=f"{wrong}, .*0…18"):
        merge_celebamask_classes(np.array([[0, wrong]], dtype=np.uint8))


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.bool_])
def test_another_type_is_refused(dtype: type) -> None:
    with pytest.raises(UserError, match="uint8"):
        merge_celebamask_classes(np.zeros((2, 2), dtype=dtype))
