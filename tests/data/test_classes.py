import numpy as np
import pytest

from mdrnets.data.classes import CELEBAMASK_CLASSES, CLASSES, from_celebamask
from mdrnets.errors import UserError


def _merged(name: str) -> str:
    labels = np.array([CELEBAMASK_CLASSES.index(name)], dtype=np.uint8)
    return CLASSES[from_celebamask(labels)[0]]


def test_there_are_14_different_classes_and_background_is_0() -> None:
    assert len(set(CLASSES)) == 14
    assert CLASSES[0] == "background"


def test_celebamask_ids_are_in_the_published_order() -> None:
    assert CELEBAMASK_CLASSES[:6] == ("background", "skin", "nose", "eye_g", "l_eye", "r_eye")
    assert CELEBAMASK_CLASSES[10:] == (
        *("mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth"),
    )


def test_every_class_of_ours_is_reached() -> None:
    everything = from_celebamask(np.arange(19, dtype=np.uint8))
    assert set(everything.tolist()) == set(range(14))


@pytest.mark.parametrize("part", ["eye", "brow", "ear"])
def test_left_and_right_are_merged(part: str) -> None:
    assert _merged(f"l_{part}") == _merged(f"r_{part}") == part


def test_jewellery_goes_where_it_hangs() -> None:
    assert _merged("ear_r") == "ear"
    assert _merged("neck_l") == "neck"
    assert _merged("eye_g") == "glasses"


def test_shape_and_type_stay() -> None:
    merged = from_celebamask(np.full((2, 3, 4), 18, dtype=np.uint8))
    assert merged.shape == (2, 3, 4)
    assert merged.dtype == np.uint8
    assert from_celebamask(np.zeros((0, 4), dtype=np.uint8)).shape == (0, 4)


@pytest.mark.parametrize("wrong", [19, 255])
def test_an_unknown_id_is_named(wrong: int) -> None:
    with pytest.raises(UserError, match=f"class id {wrong}, expected 0…18"):
        from_celebamask(np.array([[0, wrong]], dtype=np.uint8))


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.bool_])
def test_another_type_is_refused(dtype: type) -> None:
    with pytest.raises(UserError, match="expected uint8 class ids"):
        from_celebamask(np.zeros((2, 2), dtype=dtype))
