"""Read images, label maps and hole masks from a verified archive.

Files in another format are errors and are never converted, since one odd file among 30,000 would
change a table without notice: an image is upright 8-bit RGB, a label map holds class ids, a hole
mask is black and white.
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
_MAX_PIXELS = 4096**2  # a small file may claim to decompress to gigabytes


def sort_stems(stems: Iterable[str]) -> list[str]:
    """Sort numbers by value (9 before 010), followed by other names in alphabetical order."""
    return sorted(stems, key=lambda stem: (not is_number(stem), _number(stem), stem))


def is_number(stem: str) -> bool:
    return re.fullmatch("[0-9]+", stem) is not None


class Archive:
    """A zip archive with flat names; a context manager.

    Attributes:
        members: name without suffix → name of the member, in the order of `sort_stems`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise UserError(f"{path}: archive not found; run the download stage") from None
        except zipfile.BadZipFile as error:
            raise UserError(
                f"{path}: not a readable zip archive ({error}); remove it and run the download "
                "stage"
            ) from None
        names = {Path(name).stem: name for name in self._zip.namelist()}
        self.members = {stem: names[stem] for stem in sort_stems(names)}

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
        """Archive and member, for error messages."""
        return f"{self.path}: {self.members[stem]}"

    def check_same_members(self, ids: Iterable[str], table: Path) -> None:
        """Check that a table and the archive have the same members.

        Raises:
            UserError: a member is only in one of them.
        """
        if difference := sort_stems(set(ids) ^ set(self.members)):
            raise UserError(
                f"{table}: {difference[0]!r} is only in one of this table and {self.path}; "
                "run the split stage again"
            )

    def read(self, stem: str) -> bytes:
        """Return the bytes of a member.

        Raises:
            UserError: the member does not exist or is damaged.
        """
        if stem not in self.members:
            raise UserError(f"{self.path}: file {stem!r} not found; run the split stage again")
        try:
            return self._zip.read(self.members[stem])
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UserError(
                f"{self.where(stem)} is damaged ({error}); "
                "remove the archive and run the download stage"
            ) from None


def decode_image(data: bytes, where: str) -> np.ndarray:
    """Decode an image: uint8 H×W×3, RGB.

    A rotation in the EXIF data is an error and is not applied, since label maps and other tools
    ignore it.

    Raises:
        UserError: the file is unreadable or not an upright 8-bit RGB image.
    """
    image = _open_image(data, where)
    if image.mode != "RGB":
        raise UserError(f"{where} has mode {image.mode}, expected RGB; convert it, or remove it")
    if _png_header(data)[0] == 16:  # Pillow would drop the low bytes
        raise UserError(f"{where} has 16 bits per channel, expected 8; convert it, or remove it")
    orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation != 1:
        raise UserError(
            f"{where} has EXIF orientation {orientation}, expected an upright image; rotate it and "
            "remove the tag"
        )
    return np.asarray(image)


def decode_labels(data: bytes, where: str) -> np.ndarray:
    """Decode a label map: uint8 H×W, the class ids of the file.

    Raises:
        UserError: the file is unreadable or not an 8-bit grey or palette PNG.
    """
    image = _open_image(data, where)
    depth, colour = _png_header(data)
    scaled = colour == _PNG_GREY and depth < 8  # Pillow stretches 2 and 4 bits to 0…255
    if image.mode not in ("L", "P") or image.format != "PNG" or scaled:
        raise UserError(
            f"{where} is a {image.format} image of mode {image.mode} with {depth} bits, expected "
            "class ids in an 8-bit grey or palette PNG; convert it"
        )
    return np.asarray(image)


def decode_hole(data: bytes, where: str) -> np.ndarray:
    """Decode a hole mask: bool H×W, True (white) = hole.

    Raises:
        UserError: the file is unreadable or has values other than black and white.
    """
    image = _open_image(data, where)
    if image.mode not in ("1", "L") or image.format != "PNG":
        raise UserError(
            f"{where} is a {image.format} image of mode {image.mode}, expected a black and white "
            "PNG; convert it"
        )
    values = np.asarray(image.convert("L"))
    between = (values != 0) & (values != 255)
    if between.any():
        raise UserError(
            f"{where} has the value {values[between][0]}, expected only 0 and 255; "
            "save it without anti-aliasing, 255 in the hole"
        )
    hole: np.ndarray = values == 255
    return hole


def decode_mask(data: bytes, where: str) -> np.ndarray:
    """Decode a mask with grey values, in one channel or three equal ones: uint8 H×W.

    Raises:
        UserError: the file is unreadable or has colours.
    """
    image = _open_image(data, where)
    values = np.asarray(image.convert("RGB"))
    if (values != values[..., :1]).any():
        raise UserError(f"{where} has colours, expected a grey mask; replace it")
    mask: np.ndarray = values[..., 0]
    return mask


def read_image_size(data: bytes, where: str) -> tuple[int, int]:
    """Read height and width from the header of an image.

    Raises:
        UserError: the file is unreadable or too large.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # decoders raise many exception types on corrupt data
        raise _unreadable_error(where, data, error) from None
    if image.width * image.height > _MAX_PIXELS:
        raise UserError(f"{where} has {image.height}×{image.width} pixels, too many; remove it")
    return image.height, image.width


def _open_image(data: bytes, where: str) -> Image.Image:
    read_image_size(data, where)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
        image.getexif()
    except Exception as error:
        raise _unreadable_error(where, data, error) from None
    return image


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


def _number(stem: str) -> int:
    return int(stem) if is_number(stem) else 0
