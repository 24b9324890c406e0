import numpy as np
import pytest

from samples.renderer.draws import HAIR, SKIN, Draw
from samples.renderer.style import RENDERED_A, RENDERED_B, Style


def _draw(seed: int = 0) -> Draw:
    return Draw(np.random.default_rng(seed))


def test_draws_stay_in_their_bounds_and_use_them() -> None:
    draw = _draw()
    uniform = np.array([draw.between((2.0, 5.0)) for _ in range(500)])
    assert (uniform.min(), uniform.max()) == pytest.approx((2, 5), abs=0.05)
    triangular = np.array([draw.spread(0.4) for _ in range(2000)])
    assert np.abs(triangular).max() <= 0.4
    assert triangular.mean() == pytest.approx(0, abs=0.02)
    assert triangular.var() == pytest.approx(0.4**2 / 6, rel=0.1)


def test_choices_follow_their_weights() -> None:
    draw = _draw()
    picked = [draw.pick((("a", 1), ("b", 3), ("never", 0))) for _ in range(2000)]
    assert picked.count("b") / len(picked) == pytest.approx(0.75, abs=0.04)
    assert "never" not in picked
    assert np.mean([draw.chance(0.2) for _ in range(2000)]) == pytest.approx(0.2, abs=0.03)


def test_skin_runs_from_the_lightest_to_the_darkest() -> None:
    draw = _draw()
    tones = [np.mean([draw.skin(tone).mean() for _ in range(20)]) for tone in np.linspace(0, 1, 9)]
    assert (np.diff(tones) < 0).all()
    assert tones[0] == pytest.approx(SKIN[0].mean(), abs=0.03)
    assert tones[-1] == pytest.approx(SKIN[-1].mean(), abs=0.03)


def test_colours_are_colours() -> None:
    draw = _draw()
    for _ in range(200):
        colour = draw.colour(saturation=(0.3, 0.6), value=(0.4, 0.8))
        assert 0.4 <= colour.max() <= 0.8
        saturation = 1 - colour.min() / colour.max()
        assert 0.3 - 1e-9 <= saturation <= 0.6 + 1e-9
        near = draw.near(HAIR["black"], 0.2)
        assert ((near >= 0.02) & (near <= 1)).all()
        assert ((draw.iris() > 0) & (draw.iris() < 1)).all()


@pytest.mark.parametrize("style", [RENDERED_A, RENDERED_B], ids=lambda style: style.name)
def test_a_style_names_colours_that_exist(style: Style) -> None:
    assert {name for name, _ in style.hair_colours} <= set(HAIR)
