from typing import NamedTuple

import numpy as np
import pytest
from scipy import ndimage

from mdrnets.data.classes import CLASSES
from samples.renderer.casting import draw_scene
from samples.renderer.render import draw_for, render
from samples.renderer.scene import Scene
from samples.renderer.style import RENDERED_A, RENDERED_B, Style

STYLES = (RENDERED_A, RENDERED_B)
SIZE = 96


class Picture(NamedTuple):
    scene: Scene
    image: np.ndarray
    labels: np.ndarray

    def where(self, *names: str) -> np.ndarray:
        return np.isin(self.labels, [CLASSES.index(name) for name in names])


def _pictures(style: Style) -> list[Picture]:
    return [
        Picture(draw_scene(draw_for(style, index), style), *render(style, index, SIZE))
        for index in range(28)
    ]


@pytest.fixture(scope="module")
def sets() -> dict[str, list[Picture]]:
    return {style.name: _pictures(style) for style in STYLES}


@pytest.fixture(scope="module")
def pictures(sets: dict[str, list[Picture]]) -> list[Picture]:
    return [picture for pictures in sets.values() for picture in pictures]


def _height(picture: Picture, *names: str) -> float:
    """Mean row, along the head's axis."""
    rows, columns = np.nonzero(picture.where(*names))
    roll = picture.scene.pose.roll
    return float((rows * np.cos(roll) - columns * np.sin(roll)).mean())


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_the_same_number_gives_the_same_picture_whatever_the_global_state(style: Style) -> None:
    first = render(style, 3, 48)
    np.random.seed(5)
    second = render(style, 3, 48)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_shapes_and_types() -> None:
    image, labels = render(RENDERED_A, 0, 40)
    assert (image.shape, image.dtype) == ((40, 40, 3), np.uint8)
    assert (labels.shape, labels.dtype) == ((40, 40), np.uint8)


def test_no_two_pictures_are_alike(pictures: list[Picture]) -> None:
    for k, one in enumerate(pictures):
        for other in pictures[:k]:
            assert np.abs(one.image.astype(int) - other.image).mean() > 8


@pytest.mark.parametrize("index", [0, 1])
def test_a_larger_picture_shows_the_same(index: int) -> None:
    large, _ = render(RENDERED_B, index, 144)
    small, _ = render(RENDERED_B, index, 72)
    shrunk = large.reshape(72, 2, 72, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 2


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_class_occurs(style: Style, sets: dict[str, list[Picture]]) -> None:
    seen = {int(value) for picture in sets[style.name] for value in np.unique(picture.labels)}
    assert seen == set(range(len(CLASSES)))


def test_what_the_scene_lacks_has_no_pixel_and_what_it_has_shows(pictures: list[Picture]) -> None:
    for scene, _, labels in pictures:
        classes = set(np.unique(labels).tolist())
        assert (CLASSES.index("hat") in classes) == (scene.attire.hat != "none")
        assert (CLASSES.index("glasses") in classes) == (scene.attire.glasses != "none")
        assert (CLASSES.index("mouth") in classes) == (scene.mouth.open > 0)
        assert (CLASSES.index("eye") in classes) == (scene.attire.glasses != "dark")
        for always in ("background", "skin", "nose", "upper lip", "lower lip", "hair"):
            assert CLASSES.index(always) in classes


def test_features_lie_inside_the_face(pictures: list[Picture]) -> None:
    features = ("eye", "brow", "nose", "mouth", "upper lip", "lower lip")
    for picture in pictures:
        face = ndimage.binary_fill_holes(picture.where("skin", "glasses", "hair", "hat", *features))
        assert not (picture.where(*features) & ~face).any()
        near_skin = ndimage.binary_dilation(picture.where("skin", "glasses"), iterations=8)
        assert not (picture.where(*features) & ~near_skin).any()


def test_features_stand_in_their_order_from_brow_to_cloth(pictures: list[Picture]) -> None:
    order = ("hat", "brow", "eye", "nose", "upper lip", "lower lip", "neck", "cloth")
    for picture in pictures:
        heights = [_height(picture, name) for name in order if picture.where(name).any()]
        assert heights == sorted(heights)


def test_the_mouth_opens_between_the_lips(pictures: list[Picture]) -> None:
    for picture in pictures:
        if picture.scene.mouth.open:
            upper, inside = _height(picture, "upper lip"), _height(picture, "mouth")
            assert upper < inside < _height(picture, "lower lip")


def test_there_are_two_eyes_of_one_colour(pictures: list[Picture]) -> None:
    """The coordination that the method is about: the sides agree."""
    counted = 0
    for picture in pictures:
        if picture.scene.attire.glasses != "none" or abs(picture.scene.pose.yaw) > 0.2:
            continue
        eyes, count = ndimage.label(picture.where("eye"), structure=np.ones((3, 3)))
        assert count == 2
        first, second = (picture.image[eyes == k].mean(axis=0) for k in (1, 2))
        assert np.abs(first - second).max() < 60
        counted += 1
    assert counted > 10


def test_lips_are_redder_than_the_skin(pictures: list[Picture]) -> None:
    redder = []
    for picture in pictures:
        lips, skin = (
            picture.image[picture.where(name)].mean(axis=0) for name in ("lower lip", "skin")
        )
        redder.append(lips[0] / lips[1] > skin[0] / skin[1])
    assert np.mean(redder) > 0.9


def test_labels_change_where_the_picture_does(pictures: list[Picture]) -> None:
    ratios = []
    for picture in pictures:
        channels = np.moveaxis(picture.image.astype(float), 2, 0)
        contrast = sum(ndimage.gaussian_gradient_magnitude(channel, 0.7) for channel in channels)
        person = ~picture.where("background")
        edge = ndimage.binary_dilation(person) & ~ndimage.binary_erosion(person, border_value=1)
        ratios.append(contrast[edge].mean() / contrast[~edge].mean())
    assert np.median(ratios) > 2
    assert min(ratios) > 0.9  # dark hair in front of a dark wall


def test_the_sets_differ_in_framing_and_contrast(sets: dict[str, list[Picture]]) -> None:
    def statistics(name: str) -> tuple[float, float, float]:
        face = np.mean([picture.where("skin").mean() for picture in sets[name]])
        images = np.stack([picture.image for picture in sets[name]]) / 255
        return float(face), float(images.mean()), float(images[:, :8, :8].std())

    face_a, brightness_a, _ = statistics("rendered_a")
    face_b, brightness_b, _ = statistics("rendered_b")
    assert face_a > 1.1 * face_b  # tight against loose
    assert brightness_b > brightness_a + 0.05  # evening against day
