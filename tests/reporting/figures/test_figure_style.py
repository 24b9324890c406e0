import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mdrnets.config.load import load_config
from mdrnets.reporting.figures import style


def test_no_two_methods_look_alike() -> None:
    names = [f"method_{number}" for number in range(16)]
    assert len(set(style.make_line_styles(names).values())) == 16


def test_a_method_keeps_its_look_whichever_others_are_run() -> None:
    methods = load_config("demo").protocol.methods
    result = style.make_line_styles(methods)
    assert result["mdrnets"] == style.LineStyle("#D55E00", "X")
    assert len({line.colour for line in result.values()}) == len(methods)


@pytest.mark.parametrize(
    ("pixels", "columns", "side"),
    [(64, 9, 128), (64, 8, 128), (32, 3, 160), (96, 8, 96), (256, 4, 160), (256, 9, 150)],
)
def test_faces_grow_by_whole_multiples_where_they_fit(pixels: int, columns: int, side: int) -> None:
    assert style.fit_cell_size(pixels, columns, margin=250) == side


def test_every_pixel_of_a_small_face_is_a_square(tmp_path: Path) -> None:
    face = np.random.default_rng(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    figure, axes = style.create_canvas(720, 200)
    style.draw_image(axes, face, 31, 17, 64)
    style.save_figure(figure, tmp_path / "a")
    saved = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    assert saved.shape == (200, 720, 3)
    assert np.array_equal(saved[17:81, 31:95], face.repeat(4, axis=0).repeat(4, axis=1))
    assert (saved[:17] == 255).all() and (saved[:, :31] == 255).all()


def test_a_hole_is_white_and_the_rest_as_it_was() -> None:
    face = np.full((2, 2, 3), 7, dtype=np.uint8)
    hole = np.array([[True, False], [False, False]])
    shown = style.mask_hole(face, hole)
    assert shown.dtype == np.uint8
    assert (shown[0, 0] == 255).all() and (shown[~hole] == 7).all()


def test_files_tell_no_time_and_hold_their_text(tmp_path: Path) -> None:
    figure, axes = style.create_canvas(720, 100)
    axes.text(10, 50, "a title")
    style.save_figure(figure, tmp_path / "a")
    png, pdf = (tmp_path / "a.png").read_bytes(), (tmp_path / "a.pdf").read_bytes()
    assert b"tEXt" not in png and b"tIME" not in png
    assert not re.search(rb"CreationDate|Producer|Creator", pdf)
    assert b"/CIDFontType2" in pdf or b"/TrueType" in pdf
    assert b"/Type3" not in pdf


def test_settings_of_the_user_change_nothing(tmp_path: Path) -> None:
    contents = []
    for size in (7, 30):
        with matplotlib.rc_context({"font.size": size, "axes.facecolor": "red"}):
            figure = style.with_figure_style(
                lambda: style.create_panel_figure(2.0, ["a caption"])
            )()
            style.save_figure(figure, tmp_path / "a")
            assert matplotlib.rcParams["font.size"] == size
        contents.append((tmp_path / "a.png").read_bytes())
    assert contents[0] == contents[1]
