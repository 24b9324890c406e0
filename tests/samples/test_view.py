from dataclasses import replace

import numpy as np
import pytest

from mdrnets.data.classes import CLASSES
from samples.renderer.canvas import Canvas, ellipse, noise_table
from samples.renderer.casting import draw_scene
from samples.renderer.draws import Draw
from samples.renderer.lighting import illuminate
from samples.renderer.scene import Light, Pose
from samples.renderer.style import RENDERED_A
from samples.renderer.view import View, mix, view_scene

FRONTAL = Pose(x=0.0, y=0.0, scale=0.7, yaw=0.0, pitch=0.0, roll=0.0, sway=0.0)
SIDE = np.array([0.6, 0.0, 0.8])
FROM_RIGHT = Light(direction=SIDE, key=np.ones(3), fill=np.full(3, 0.25), rim=0.0)


def _view(pose: Pose = FRONTAL) -> View:
    rng = np.random.default_rng(0)
    scene = replace(draw_scene(Draw(rng), RENDERED_A), pose=pose, light=FROM_RIGHT)
    return view_scene(Canvas(size=32), scene, noise_table(rng))


def _place(view: View, a: float, b: float) -> tuple[float, float]:
    """Where a point of the face is seen, in samples: column and row."""
    nearest = np.argmin((view.a - a) ** 2 + (view.b - b) ** 2)
    row, column = np.unravel_index(nearest, view.a.shape)
    return float(column), float(row)


def test_a_frontal_face_is_seen_as_it_is_drawn() -> None:
    view = _view()
    middle = np.abs(view.u) < 0.75
    np.testing.assert_allclose(view.a[middle], view.u[middle], atol=1e-12)
    np.testing.assert_allclose(view.b, view.v, atol=1e-12)
    np.testing.assert_array_equal(view.p, view.u)


def test_a_turned_face_moves_sideways_and_its_far_half_shrinks() -> None:
    turned = _view(replace(FRONTAL, yaw=0.4))
    middle, _ = _place(turned, 0.0, 0.0)
    left, _ = _place(turned, -0.3, 0.0)
    right, _ = _place(turned, 0.3, 0.0)
    assert middle > 33
    assert right - middle < middle - left
    assert (np.diff(turned.a, axis=1) > -1e-9).all()  # nothing is seen twice


def test_yaw_is_symmetric() -> None:
    one, other = _view(replace(FRONTAL, yaw=0.4)), _view(replace(FRONTAL, yaw=-0.4))
    np.testing.assert_allclose(one.a, -other.a[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(one.b, other.b[:, ::-1], atol=1e-12)


def test_a_lowered_face_moves_down_and_a_rolled_one_turns() -> None:
    _, level = _place(_view(), 0.0, 0.0)
    _, lowered = _place(_view(replace(FRONTAL, pitch=0.3)), 0.0, 0.0)
    assert lowered > level + 1
    rolled = _view(replace(FRONTAL, roll=0.3))
    assert _place(rolled, 0.3, 0.0)[1] > _place(rolled, -0.3, 0.0)[1] + 2
    np.testing.assert_allclose(rolled.u**2 + rolled.v**2, rolled.p**2 + rolled.q**2)


def test_a_window_shows_the_same_place() -> None:
    view = _view(replace(FRONTAL, yaw=0.3, roll=0.2))
    near = view.near(0.3, 0.0, width=0.2, height=0.1)
    inside = (np.abs(view.a - 0.3) < 0.2) & (np.abs(view.b) < 0.1)
    assert near.a.size < 0.2 * view.a.size
    np.testing.assert_array_equal(near.a, view.a[near.window])
    assert inside[near.window].sum() == inside.sum()
    again = near.around(np.abs(near.a - 0.3) < 0.05)
    np.testing.assert_array_equal(again.a, view.a[again.window])


def test_a_window_of_nothing_paints_nothing() -> None:
    view = _view()
    nowhere = view.near(9.0, 9.0, width=0.1, height=0.1)
    nowhere.paint(ellipse(nowhere.u - 9, nowhere.v, width=0.1, height=0.1), np.ones(3), label="hat")
    assert not view.canvas.rgb.any()
    assert not view.canvas.labels.any()


def test_person_is_what_has_a_class() -> None:
    view = _view()
    view.paint(ellipse(view.u, view.v, width=0.4, height=0.4), np.ones(3), label="skin")
    part = view.near(0.0, 0.0, width=0.5, height=0.5)
    np.testing.assert_array_equal(
        part.person, view.canvas.labels[part.window] == CLASSES.index("skin")
    )
    assert part.person.any()


def test_mix_goes_from_one_colour_to_the_other() -> None:
    weight = np.array([[0.0, 0.25, 1.0]])
    planes = mix(np.zeros(3), np.array([1.0, 2.0, 4.0]), weight)
    assert planes.shape == (3, 1, 3)
    np.testing.assert_allclose(planes[:, 0, 1], [0.25, 0.5, 1.0])


def test_light_falls_on_the_side_that_faces_it() -> None:
    view = _view()
    flat = illuminate(view, np.zeros_like(view.u)).diffuse
    assert np.ptp(flat) == pytest.approx(0)
    assert flat.mean() == pytest.approx(0.25 + 0.75 * (0.8 + 0.25) / 1.25)
    towards = illuminate(view, -0.75 * view.u).diffuse  # its normal is the light's direction
    np.testing.assert_allclose(towards, 1.0)
    away = illuminate(view, 5 * view.u).diffuse
    np.testing.assert_allclose(away, 0.25)


def test_gloss_and_rim_lie_where_they_belong() -> None:
    view = _view()
    view = replace(view, scene=replace(view.scene, light=replace(FROM_RIGHT, rim=1.0)))
    ball = np.sqrt(np.maximum(1 - view.u**2 - view.v**2, 0))
    lit = illuminate(view, ball)
    inside = view.u**2 + view.v**2 < 0.95
    row, column = np.unravel_index(np.argmax(lit.gloss * inside), ball.shape)
    assert view.u[row, column] == pytest.approx(np.sin(np.arcsin(0.6) / 2), abs=0.1)
    assert abs(view.v[row, column]) < 0.1
    left, right = inside & (view.u < -0.7), inside & (view.u > 0.7)
    assert lit.rim[left].mean() > 3 * lit.rim[right].mean()
    assert lit.rim[np.hypot(view.u, view.v) < 0.3].max() < 0.01
