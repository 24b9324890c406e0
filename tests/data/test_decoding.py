import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from mdrnets.data.decoding import (
    decode_grey_mask,
    decode_image,
    decode_labels,
    decode_mask,
    read_image_size,
)
from mdrnets.errors import UserError
from tests.helpers.damage import damaged_versions

WHERE = "faces.zip: 00007.png"


# -- images ------------------------------------------------------------------------------------


def test_an_image_is_decoded_as_it_stands(encode, face) -> None:
    np.testing.assert_array_equal(decode_image(encode(face), WHERE), face)
    jpeg = decode_image(encode(face, format="JPEG", quality=95, subsampling=0), WHERE)
    assert jpeg.shape == face.shape
    assert np.abs(jpeg.astype(int) - face).max() < 12


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_an_image_of_another_mode_is_refused(encode, face, mode) -> None:
    if mode == "I;16":
        data = encode(face[..., 0].astype(np.uint16) * 257)
    else:
        data = encode(face, mode=mode)
    with pytest.raises(UserError, match=rf"faces\.zip: 00007\.png .*{mode}, "):
        decode_image(data, WHERE)


def test_cmyk_is_refused(encode, face) -> None:
    with pytest.raises(UserError, match=r"00007\.png .*CMYK"):
        decode_image(encode(face, mode="CMYK", format="JPEG"), WHERE)


def test_sixteen_bits_are_refused(raw_png) -> None:
    rows = b"".join(b"\0" + bytes(range(24)) for _ in range(4))
    data = raw_png(width=4, height=4, depth=16, colour=2, rows=rows)
    with pytest.raises(UserError, match=r"00007\.png .*16"):
        decode_image(data, WHERE)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_an_image_that_is_not_upright_is_refused(encode, face, format) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(UserError, match=r"00007\.png .*EXIF orientation 6"):
        decode_image(encode(face, format=format, exif=exif), WHERE)
    exif[0x0112] = 1
    assert decode_image(encode(face, format=format, exif=exif), WHERE).shape == (40, 40, 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_truncated_image_is_refused(encode, face, format) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(noise, format=format)
    for share in (0.2, 0.6, 0.95):
        with pytest.raises(UserError, match=r"00007\.png "):
            decode_image(data[: int(share * len(data))], WHERE)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animation_is_refused(format) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match=r"00007\.png .* 2 "):
        decode_image(buffer.getvalue(), WHERE)


def test_a_transparent_colour_is_refused(encode, face) -> None:
    with pytest.raises(UserError, match=r"00007\.png "):
        decode_image(encode(face, transparency=(0, 0, 255)), WHERE)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_colours_are_those_of_srgb(encode, face, format) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decode_image(encode(face, format=format, icc_profile=srgb), WHERE).shape == face.shape
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (swapped, lab, b"no profile"):
        with pytest.raises(UserError, match=r"00007\.png "):
            decode_image(encode(face, format=format, icc_profile=profile), WHERE)


@given(at=st.integers(0, 10**6), value=st.integers(1, 255))
def test_any_changed_byte_of_a_png_is_found(at, value) -> None:
    data = bytearray(_PNG)
    data[at % len(data)] ^= value
    with pytest.raises(UserError, match=r"00007\.png "):
        decode_image(bytes(data), WHERE)


def test_empty_and_foreign_files_are_refused(encode, face) -> None:
    with pytest.raises(UserError, match=r"00007\.png .*0 bytes"):
        decode_image(b"", WHERE)
    for data in (b"<!DOCTYPE html>", encode(face, format="GIF")):
        with pytest.raises(UserError, match=r"00007\.png ") as error:
            decode_image(data, WHERE)
        assert "BytesIO" not in str(error.value)


def test_an_image_of_absurd_size_is_refused_before_it_is_decoded(raw_png) -> None:
    data = raw_png(width=65_000, height=65_000, depth=1, colour=0, rows=b"")
    with pytest.raises(UserError, match=r"00007\.png"):
        decode_image(data, WHERE)
    data = raw_png(width=5000, height=5000, depth=8, colour=2, rows=b"")
    with pytest.raises(UserError, match=r"00007\.png .*5000×5000"):
        decode_image(data, WHERE)


def _noise_file(format: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


_PNG = _noise_file("PNG")
_EXTRA = {
    "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0",
}
DAMAGED_FILES = {
    "PNG": _noise_file("PNG", **_EXTRA),
    "JPEG": _noise_file("JPEG", **_EXTRA),
    "progressive JPEG": _noise_file("JPEG", progressive=True),
    "WebP": _noise_file("WEBP", **_EXTRA),
    "lossless WebP": _noise_file("WEBP", lossless=True),
    "palette": _noise_file("PNG", "P"),
    "grey": _noise_file("PNG", "L"),
    "black and white": _noise_file("PNG", "1"),
}


@pytest.mark.parametrize("name", DAMAGED_FILES)
def test_a_damaged_file_gives_an_array_or_a_sentence(name: str) -> None:
    refused = 0
    for data in damaged_versions(DAMAGED_FILES[name], seed=name, count=150):
        for decode in (decode_image, decode_labels, decode_mask, read_image_size):
            try:
                assert decode(data, WHERE) is not None
            except UserError as error:
                assert str(error).startswith(f"{WHERE} ") and "\n" not in str(error)
                refused += 1
    assert refused > 0


def test_the_size_is_height_and_width(encode, face) -> None:
    assert read_image_size(encode(face[:30]), WHERE) == (30, 40)
    with pytest.raises(UserError, match=r"00007\.png .*0 bytes"):
        read_image_size(b"", WHERE)


# -- label maps --------------------------------------------------------------------------------


def test_class_ids_are_read_as_they_stand(encode) -> None:
    ids = np.arange(20, dtype=np.uint8).reshape(4, 5)
    np.testing.assert_array_equal(decode_labels(encode(ids), WHERE), ids)


def test_a_palette_gives_ids_and_not_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    image.putdata([2, 1])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    np.testing.assert_array_equal(decode_labels(buffer.getvalue(), WHERE), [[2, 1]])


def test_other_images_are_no_label_maps(encode, face, raw_png) -> None:
    ids = np.zeros((8, 8), dtype=np.uint8)
    stretched = raw_png(width=2, height=1, depth=4, colour=0, rows=b"\0\x12")
    black_and_white = encode(ids, mode="1")
    for data in (encode(face), encode(ids, format="JPEG"), stretched, black_and_white):
        with pytest.raises(UserError, match=r"00007\.png .*PNG"):
            decode_labels(data, WHERE)


# -- masks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L"])
def test_white_is_the_hole(encode, mode) -> None:
    hole = np.zeros((4, 4), dtype=np.uint8)
    hole[1, 2:] = 255
    result = decode_mask(encode(hole, mode=mode), WHERE)
    assert result.dtype == bool
    np.testing.assert_array_equal(result, hole == 255)


def test_a_hole_has_no_grey(encode) -> None:
    hole = np.zeros((4, 4), dtype=np.uint8)
    hole[2, 2] = 128
    with pytest.raises(UserError, match=r"00007\.png .*128,"):
        decode_mask(encode(hole), WHERE)
    ones = np.ones((4, 4), dtype=np.uint8)
    with pytest.raises(UserError, match=r"00007\.png .* 1,"):
        decode_mask(encode(ones), WHERE)


def test_a_mask_may_have_three_equal_channels(encode) -> None:
    white = np.zeros((4, 4), dtype=np.uint8)
    white[1, 2:] = 255
    np.testing.assert_array_equal(decode_mask(encode(white, mode="RGB"), WHERE), white == 255)


def test_a_mask_is_a_png_without_colours_and_transparency(encode, face) -> None:
    grey = np.zeros((8, 8), dtype=np.uint8)
    for data in (
        encode(face),
        encode(face, mode="P"),
        encode(grey, format="JPEG"),
        encode(grey, mode="LA"),
        encode(grey, transparency=0),
    ):
        for decode in (decode_mask, decode_grey_mask):
            with pytest.raises(UserError, match=r"00007\.png "):
                decode(data, WHERE)
