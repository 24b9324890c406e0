"""For use from Python: load an exported method, and complete a photograph.

from mdrnets import complete, load_method

method = load_method("exported/mdrnets")
completed = complete(method, Image.open("photo.jpg"), Image.open("hole.png"))
"""

import numpy as np
from PIL import Image, ImageOps

from mdrnets.errors import UserError
from mdrnets.evaluation import face_detection
from mdrnets.evaluation.photos import AnySquare, complete_photo
from mdrnets.evaluation.squares import Square, TurnedSquare
from mdrnets.methods.exported import LoadedMethod, load_method

__all__ = ["LoadedMethod", "Square", "align_face", "complete", "load_method"]
WHITE = 128
"""From this grey level on, a pixel of a mask is white: a hole."""


def complete(
    method: LoadedMethod,
    image: Image.Image | np.ndarray,
    hole: Image.Image | np.ndarray,
    *,
    square: AnySquare | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Fill the hole of a photograph.

    Args:
        method: see `load_method`.
        image: a picture, or uint8 H×W×3.
        hole: a picture in black and white, white = missing, or bool H×W, True = missing.
        square: of the photograph, to complete, a `Square` or what `align_face` finds; None: all of
            it, which must be square.
        seed: of the samples of a method that draws some.

    Returns:
        The completed photograph, uint8 H×W×3. Valid pixels are unchanged.

    Raises:
        UserError: photograph, hole and square do not fit together.
    """
    pixels, missing = read_picture(image), read_hole(hole)
    size = method.description.image_size
    completed = complete_photo(method.network, pixels, missing, size=size, square=square, seed=seed)
    return next(completed)


def align_face(image: Image.Image | np.ndarray, hole: Image.Image | np.ndarray) -> TurnedSquare:
    """Find the face that has the hole, and align it as the faces of CelebA-HQ and FFHQ are.

    Args:
        image: a picture, or uint8 H×W×3.
        hole: a picture in black and white, white = missing, or bool H×W, True = missing.

    Returns:
        The square to complete.

    Raises:
        UserError: the detector is not installed, or the photograph has no face that it sees.
    """
    return face_detection.align_face(read_picture(image), read_hole(hole))


def read_picture(image: Image.Image | np.ndarray) -> np.ndarray:
    """The pixels of a picture, upright, uint8 H×W×3; transparent parts become white."""
    if isinstance(image, np.ndarray):
        return image
    upright = _to_8_bits(ImageOps.exif_transpose(image))
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright)
    return np.asarray(upright.convert("RGB"))


def read_hole(hole: Image.Image | np.ndarray) -> np.ndarray:
    """The hole of a mask, bool H×W: its white pixels."""
    if isinstance(hole, np.ndarray):
        return hole.astype(bool)
    return np.asarray(_to_8_bits(ImageOps.exif_transpose(hole)).convert("L")) >= WHITE


def _to_8_bits(image: Image.Image) -> Image.Image:
    """A picture with 8 bits a channel; Pillow itself makes all bright greys of 16 bits white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise UserError(
            "picture: found 32 bits a pixel, expected 8 or 16 bits a channel; convert it"
        )
    return image
