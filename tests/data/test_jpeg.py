"""JPEG files that libjpeg repairs without an error, made from a picture and from real faces."""

import io
import os
import re
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mdrnets.data.decoding import decode_image
from mdrnets.errors import UserError

END = b"\xff\xd9"
WAYS = [
    {"quality": 95},
    {"quality": 30},
    {"quality": 90, "subsampling": 0},
    {"quality": 90, "optimize": True},
    {"quality": 90, "restart_marker_blocks": 4},
]


def _encode(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _picture() -> np.ndarray:
    noise = np.random.default_rng(5).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((120, 120), Image.Resampling.BICUBIC))


FILES = [_encode(_picture(), **options) for options in WAYS]
PROGRESSIVE = _encode(_picture(), quality=90, progressive=True)


def _start(data: bytes) -> int:
    """Where the data of the first scan begin."""
    at = data.index(b"\xff\xda") + 2
    return at + int.from_bytes(data[at : at + 2], "big")


def _is_refused(data: bytes) -> bool:
    try:
        decode_image(data, "faces.zip: 1.jpg")
    except UserError as error:
        assert str(error).startswith("faces.zip: 1.jpg ")
        return True
    return False


@pytest.mark.parametrize("data", [*FILES, PROGRESSIVE])
def test_an_intact_file_passes(data) -> None:
    assert not _is_refused(data)


@settings(max_examples=60, deadline=None)
@given(data=st.sampled_from(FILES), share=st.floats(0, 0.97))
def test_a_file_that_was_cut_and_ended_properly_is_refused(data, share) -> None:
    at = _start(data) + int(share * (len(data) - _start(data)))
    assert _is_refused(data[:at] + END)


@settings(max_examples=60, deadline=None)
@given(data=st.sampled_from(FILES), share=st.floats(0, 1), size=st.integers(10, 600))
def test_a_file_with_zeroed_bytes_is_refused(data, share, size) -> None:
    at = _start(data) + int(share * (len(data) - 2 - size - _start(data)))
    assert _is_refused(data[:at] + bytes(size) + data[at + size :])


def test_zeroed_bytes_are_found_anywhere_in_a_picture_without_flat_blocks() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    data = _encode(noise, quality=95, optimize=True)  # in its tables no zero bits mean symbol 0
    for at in range(_start(data), len(data) - 12, 7):
        assert _is_refused(data[:at] + bytes(10) + data[at + 10 :])


def test_a_progressive_file_that_was_cut_in_any_of_its_scans_is_refused() -> None:
    scans = [found.start() for found in re.finditer(rb"\xff\xda", PROGRESSIVE)]
    assert len(scans) == 10
    for begin, end in pairwise([*scans, len(PROGRESSIVE)]):
        assert _is_refused(PROGRESSIVE[: (begin + end) // 2] + END)


@pytest.mark.parametrize("options", [*WAYS, {"progressive": True}])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_that_ends_in_the_grey_of_missing_data_passes(options, level) -> None:
    flat = np.full((64, 64, 3), level, dtype=np.uint8)
    assert not _is_refused(_encode(flat, **options))
    half = np.concatenate([_picture()[:64, :64], flat])
    assert not _is_refused(_encode(half, **options))


@pytest.mark.skipif("MDRNETS_DATA" not in os.environ, reason="MDRNETS_DATA is not set")
def test_real_faces_pass_and_their_cut_copies_do_not() -> None:
    for name in ("faces_celebahq_256.zip", "faces_ffhq_256.zip"):
        with zipfile.ZipFile(Path(os.environ["MDRNETS_DATA"], name)) as faces:
            for member in faces.namelist()[::60]:
                data = faces.read(member)
                assert not _is_refused(data), member
                for share in (0.2, 0.5, 0.9):
                    assert _is_refused(data[: int(share * len(data))] + END), member


@settings(max_examples=100, deadline=None)
@given(
    data=st.sampled_from([*FILES, PROGRESSIVE, _encode(np.full((40, 40, 3), 128, dtype=np.uint8))]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
)
def test_changed_headers_give_an_image_or_a_sentence(data, changes) -> None:
    changed = bytearray(data)
    for share, value in changes:
        changed[int(share * (_start(data) - 1))] = value
    _is_refused(bytes(changed))
