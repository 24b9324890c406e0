"""Decode images, label maps and masks.

Files in another format are errors and are never converted, since one odd file among 30,000 would
change a table without notice: an image is one upright 8-bit RGB picture in sRGB, without
transparency; a label map holds class ids; a mask is black and white, or, where a threshold is
given, grey.
"""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from mdrnets.data.jpeg import find_damage
from mdrnets.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_GREY = 0  # the colour type in a PNG's header
_ORIENTATION = 0x0112  # the EXIF tag
_MAX_PIXELS = 4096**2  # a small file may claim to decompress to gigabytes
_COLOUR_TOLERANCE = 4
"""Grey levels by which a colour profile may differ from sRGB; its own versions differ by 2."""


def decode_image(data: bytes, where: str) -> np.ndarray:
    """Decode an image: uint8 H×W×3, RGB.

    A rotation in the EXIF data is an error and is not applied, since label maps and other tools
    ignore it.

    Raises:
        UserError: the file is unreadable or damaged, or not one upright 8-bit sRGB image.
    """
    image = _open_image(data, where)
    if image.mode != "RGB":
        raise UserError(f"{where} has mode {image.mode}, expected RGB; convert it, or remove it")
    if _png_header(data)[0] == 16:  # Pillow would drop the low bytes
        raise UserError(f"{where} has 16 bits per channel, expected 8; convert it, or remove it")
    if "transparency" in image.info:
        raise UserError(f"{where} has a transparent colour, expected none; convert it to RGB")
    orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation != 1:
        raise UserError(
            f"{where} has EXIF orientation {orientation}, expected an upright image; rotate it and "
            "remove the tag"
        )
    profile = image.info.get("icc_profile")
    if profile and (name := _foreign_colours(profile)):
        raise UserError(f"{where} has the colour profile {name!r}, expected sRGB; convert it")
    pixels = np.asarray(image)
    if image.format == "JPEG" and (damage := find_damage(data)):
        raise UserError(f"{where} is damaged ({damage}); replace it, or remove it")
    return pixels


def decode_labels(data: bytes, where: str) -> np.ndarray:
    """Decode a label map: uint8 H×W, the class ids of the file.

    Raises:
        UserError: the file is unreadable or not an 8-bit grey or palette PNG.
    """
    image = _open_png(
        data, where, modes=("L", "P"), expected="class ids in 8 bits, grey or palette"
    )
    depth, colour = _png_header(data)
    if colour == _PNG_GREY and depth < 8:  # Pillow stretches 2 and 4 bits to 0…255
        raise UserError(
            f"{where} has {depth} bits, expected class ids in a PNG of 8 bits; convert it"
        )
    return np.asarray(image)


def decode_mask(data: bytes, where: str) -> np.ndarray:
    """Decode a mask: bool H×W, True = white.

    Raises:
        UserError: the file is unreadable, no PNG in one channel or three equal ones, or has values
            other than black and white.
    """
    values = decode_grey_mask(data, where)
    between = (values != 0) & (values != 255)
    if between.any():
        raise UserError(
            f"{where} has the value {values[between][0]}, expected only 0 and 255; "
            "save it without anti-aliasing"
        )
    white: np.ndarray = values == 255
    return white


def decode_grey_mask(data: bytes, where: str) -> np.ndarray:
    """Decode a mask that may have grey values: uint8 H×W.

    Raises:
        UserError: the file is unreadable, or no PNG in one channel or three equal ones.
    """
    image = _open_png(data, where, modes=("1", "L", "RGB"), expected="a mask in black and white")
    if "transparency" in image.info:
        raise UserError(f"{where} has a transparent colour, expected black and white; convert it")
    if image.mode != "RGB":
        return np.asarray(image.convert("L"))
    values = np.asarray(image)
    if (values != values[..., :1]).any():
        raise UserError(f"{where} has colours, expected a mask in black and white; replace it")
    mask: np.ndarray = values[..., 0]
    return mask


def read_image_size(data: bytes, where: str) -> tuple[int, int]:
    """Read height and width from the header of an image.

    Raises:
        UserError: the file is unreadable, too large, or has several pictures.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        pictures = getattr(image, "n_frames", 1)
    except Exception as error:  # decoders raise many exception types on corrupt data
        raise _unreadable_error(where, data, error) from None
    if image.width * image.height > _MAX_PIXELS:
        raise UserError(f"{where} has {image.height}×{image.width} pixels, too many; remove it")
    if pictures > 1:
        raise UserError(
            f"{where} contains {pictures} pictures, expected one and no animation; save the one "
            "that you want, or remove it"
        )
    return image.height, image.width


def _open_png(data: bytes, where: str, *, modes: Sequence[str], expected: str) -> Image.Image:
    """Open a file without losses, since those of JPEG change the values of a mask."""
    image = _open_image(data, where)
    if image.mode not in modes or image.format != "PNG":
        raise UserError(
            f"{where} is a {image.format} image of mode {image.mode}, expected {expected} in a "
            "PNG; convert it"
        )
    return image


def _open_image(data: bytes, where: str) -> Image.Image:
    read_image_size(data, where)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
        image.getexif()
    except Exception as error:
        raise _unreadable_error(where, data, error) from None
    if chunk := _find_damaged_chunk(data):
        raise UserError(
            f"{where} is damaged (wrong checksum of its {chunk}); replace it, or remove it"
        )
    return image


def _find_damaged_chunk(data: bytes) -> str | None:
    """The name of a PNG's first chunk with a wrong checksum; Pillow checks none of image data."""
    at = len(_PNG) if data.startswith(_PNG) else len(data)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            return repr(name.decode("latin-1"))
        if name == b"IEND":
            return None
        at = end + 4
    return None


def _unreadable_error(where: str, data: bytes, error: Exception) -> UserError:
    # Pillow's message about other formats contains the address of an object.
    reason = "another format" if isinstance(error, UnidentifiedImageError) else str(error)
    problem = f"not a readable PNG, JPEG or WebP image ({reason})" if data else "empty (0 bytes)"
    return UserError(f"{where} is {problem}; replace it, or remove it")


def _png_header(data: bytes) -> tuple[int, int]:
    """Return bits per channel and colour type of a PNG; (8, -1) for other formats."""
    if not data.startswith(_PNG):
        return 8, -1
    return struct.unpack_from(">BB", data, 24)


@lru_cache(maxsize=64)
def _foreign_colours(profile: bytes) -> str | None:
    """The name of an ICC profile if its colours are visibly not those of sRGB, else None."""
    from PIL import ImageCms

    levels = np.linspace(0, 255, 6).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(opened).strip()
        converted = ImageCms.profileToProfile(
            Image.fromarray(colours),
            opened,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        return f"unreadable, {error}"
    difference = np.abs(np.asarray(converted).astype(int) - colours).max()
    return name if difference > _COLOUR_TOLERANCE else None
