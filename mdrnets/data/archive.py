"""Reading images, label maps and holes from a verified archive, and refusing what is none.

One odd file of 30,000 changes a table without a word, so nothing is converted silently: an image
is upright 8-bit RGB, a label map holds class ids, a hole is black and white.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image, UnidentifiedImageError

from mdrnets.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_GREY = 0  # the colour type in a PNG's header
_ORIENTATION = 0x0112  # the EXIF tag
_PIXELS = 4096**2  # more than any face here; a small file may claim to unfold to gigabytes


def in_order(stems: Iterable[str]) -> list[str]:
    """Names of digits by their number, then the other names: 9 before 10, with or without zeros."""
    return sorted(stems, key=lambda stem: (not is_number(stem), _number(stem), stem))


def is_number(stem: str) -> bool:
    return re.fullmatch("[0-9]+", stem) is not None


class Archive:
    """The members of a zip archive with flat names, by stem; a context manager.

    Attributes:
        members: stem → name of the member, in the order of `in_order`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise UserError(f"{path}: there is no such archive; run the download stage") from None
        except zipfile.BadZipFile as error:
            raise UserError(
                f"{path}: no readable zip archive ({error}); remove it and run the download stage"
            ) from None
        names = {Path(name).stem: name for name in self._zip.namelist()}
        self.members = {stem: names[stem] for stem in in_order(names)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def where(self, stem: str) -> str:
        """Archive and member, as messages name them."""
        return f"{self.path}: {self.members[stem]}"

    def check_listed(self, ids: Iterable[str], table: Path) -> None:
        """Check that a table lists just these members.

        Raises:
            UserError: names the first that is in one of them alone.
        """
        if alone := in_order(set(ids) ^ set(self.members)):
            raise UserError(
                f"{alone[0]!r} is in one of {table} and {self.path}, not in both; "
                "run the split stage again"
            )

    def read(self, stem: str) -> bytes:
        """A member's bytes.

        Raises:
            UserError: no such member, or it is damaged.
        """
        if stem not in self.members:
            raise UserError(f"{self.path}: there is no file {stem!r}; run the split stage again")
        try:
            return self._zip.read(self.members[stem])
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UserError(
                f"{self.where(stem)} is damaged ({error}); "
                "remove the archive and run the download stage"
            ) from None


def decode_image(data: bytes, where: str) -> np.ndarray:
    """A face: uint8 H×W×3, RGB.

    A rotation in the EXIF data is refused rather than applied: label maps and the pixels of
    other tools do not follow it.

    Raises:
        UserError: unreadable, or no upright 8-bit RGB image.
    """
    image = _opened(data, where)
    if image.mode != "RGB":
        raise UserError(f"{where} is of mode {image.mode}, expected RGB; convert it, or remove it")
    if _png_header(data)[0] == 16:  # Pillow would drop the low bytes
        raise UserError(f"{where} has 16 bits a channel, expected 8; convert it, or remove it")
    turned = image.getexif().get(_ORIENTATION, 1)
    if turned != 1:
        raise UserError(
            f"{where} has the EXIF orientation {turned}, expected an upright image; "
            "save it rotated, without that tag"
        )
    return np.asarray(image)


def decode_labels(data: bytes, where: str) -> np.ndarray:
    """A label map: uint8 H×W of class ids, as they stand in the file.

    Raises:
        UserError: unreadable, or neither an 8-bit grey image nor one with a palette.
    """
    image = _opened(data, where)
    depth, colour = _png_header(data)
    scaled = colour == _PNG_GREY and depth < 8  # Pillow stretches 2 and 4 bits to 0…255
    if image.mode not in ("L", "P") or image.format != "PNG" or scaled:
        raise UserError(
            f"{where} is a {image.format} image of mode {image.mode} with {depth} bits, expected "
            "class ids in an 8-bit grey or palette PNG; save it so"
        )
    return np.asarray(image)


def decode_hole(data: bytes, where: str) -> np.ndarray:
    """A hole mask: bool H×W, True (white) = hole.

    Raises:
        UserError: unreadable, or with other values than black and white.
    """
    image = _opened(data, where)
    if image.mode not in ("1", "L") or image.format != "PNG":
        raise UserError(
            f"{where} is a {image.format} image of mode {image.mode}, expected a PNG in black and "
            "white; save it so"
        )
    values = np.asarray(image.convert("L"))
    between = (values != 0) & (values != 255)
    if between.any():
        raise UserError(
            f"{where} has the value {values[between][0]}, expected 0 and 255 alone; "
            "save it without anti-aliasing, 255 where the image is missing"
        )
    return values == 255


def decode_mask(data: bytes, where: str) -> np.ndarray:
    """A mask that others have drawn, grey or in three equal channels: uint8 H×W.

    Raises:
        UserError: unreadable, or coloured.
    """
    image = _opened(data, where)
    values = np.asarray(image.convert("RGB"))
    if (values != values[..., :1]).any():
        raise UserError(f"{where} is coloured, expected a mask in grey; replace it")
    return values[..., 0]


def image_size(data: bytes, where: str) -> tuple[int, int]:
    """Height and width, from the header alone.

    Raises:
        UserError: unreadable, or of absurd size.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # on damaged bytes the codecs raise whatever they stumble over
        raise _unreadable(where, data, error) from None
    if image.width * image.height > _PIXELS:
        raise UserError(f"{where} claims {image.height}×{image.width} pixels; remove it")
    return image.height, image.width


def _opened(data: bytes, where: str) -> Image.Image:
    image_size(data, where)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
        image.getexif()
    except Exception as error:
        raise _unreadable(where, data, error) from None
    return image


def _unreadable(where: str, data: bytes, error: Exception) -> UserError:
    # What Pillow says of other formats names an object in memory.
    reason = "another format" if isinstance(error, UnidentifiedImageError) else str(error)
    image = f"is no readable PNG, JPEG or WebP image ({reason})"
    what = image if data else "is empty (0 bytes)"
    return UserError(f"{where} {what}; replace it, or remove it")


def _png_header(data: bytes) -> tuple[int, int]:
    """Bits a channel and colour type; (8, -1) for what is no PNG."""
    if not data.startswith(_PNG):
        return 8, -1
    return struct.unpack_from(">BB", data, 24)


def _number(stem: str) -> int:
    return int(stem) if is_number(stem) else 0
