from dataclasses import replace

import numpy as np
import pytest

from mdrnets.reporting.figures import error_map
from tests.helpers.made_up import METHODS, SETS, make_sets, pictures, texts


def test_a_constant_error_is_found_where_holes_were_and_nowhere_else() -> None:
    faces = make_sets()[0]
    dark = replace(
        faces,
        images=np.full_like(faces.images, 100),
        completions={"pconv": np.full((3, *faces.images.shape), 49, dtype=np.uint8)},
    )
    result = error_map.compute_error_map(dark, "pconv")
    hole = faces.holes.any(axis=0)
    assert result[hole] == pytest.approx(20.0)  # 51 of 255
    assert np.isnan(result[~hole]).all()


def test_a_pixel_is_the_mean_over_the_images_whose_hole_has_it() -> None:
    faces = make_sets()[0]
    result = error_map.compute_error_map(faces, "mdrnets")
    # Row 4 is a hole in the second and third bin alone.
    completions = faces.completions["mdrnets"][1:, :, 4, 9].astype(float)  # 2×6×3
    expected = np.abs(completions - faces.images[None, :, 4, 9]).mean() / 255 * 100
    assert result[4, 9] == pytest.approx(expected)


def test_all_maps_have_one_scale_and_their_names() -> None:
    figure = error_map.draw(make_sets(), methods=METHODS, profile="tiny")
    result = texts(figure)
    assert {"Mean image", *METHODS.values(), *SETS.values()} <= set(result)
    assert any("profile tiny" in text and "all bins" in text for text in result)
    assert len(pictures(figure)) == 2 * 3
    assert len(figure.axes) == 2  # the canvas and one colour bar
    means = [
        f"{np.nanmean(error_map.compute_error_map(s, m)):.1f} %"
        for s in make_sets()
        for m in METHODS
    ]
    assert [text for text in result if text in means] == means


def test_one_method_on_one_data_set_is_enough() -> None:
    figure = error_map.draw(make_sets()[:1], methods={"pconv": "PConv"}, profile="tiny")
    assert len(pictures(figure)) == 2
    assert "MDRNets" not in texts(figure)


def test_perfect_completions_are_drawn_too() -> None:
    faces = make_sets()[0]
    perfect = replace(faces, completions={"pconv": np.stack([faces.images] * 3)})
    figure = error_map.draw([perfect], methods={"pconv": "PConv"}, profile="tiny")
    assert "0.0 %" in texts(figure)
