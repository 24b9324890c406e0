"""Scale images down, with the same filter when they are stored and when they are packed."""

import numpy as np
from PIL import Image

from mdrnets.data.decoding import decode_image
from mdrnets.data.png import encode_png
from mdrnets.errors import UserError


def check_square(array: np.ndarray, size: int, where: str) -> None:
    """Check that an image is square and not smaller than `size`.

    Raises:
        UserError: it is not.
    """
    height, width = array.shape[:2]
    if height != width or height < size:
        raise UserError(
            f"{where} has {height}×{width} pixels, expected a square of at least "
            f"{size}×{size}; replace it, or reduce image_size"
        )


def resize(array: np.ndarray, size: int, filter_: Image.Resampling) -> np.ndarray:
    """Resize a square image to size×size; an image of this size is returned unchanged."""
    if len(array) == size:
        return array
    return np.asarray(Image.fromarray(array).resize((size, size), filter_, reducing_gap=None))


def downscale_image(data: bytes, where: str, *, size: int) -> bytes:
    """Scale an image file down to a PNG of size×size; a smaller image is returned unchanged.

    Raises:
        UserError: the file is unreadable or not an upright 8-bit RGB image, or a larger one that is
            not square.
    """
    image = decode_image(data, where)
    if min(image.shape[:2]) <= size:
        return data
    check_square(image, size, where)
    return encode_png(resize(image, size, Image.Resampling.LANCZOS))


def max_downscaled_bytes(size: int) -> int:
    """Upper bound of a downscaled file: a PNG of a photograph is smaller than its pixels."""
    return 3 * size**2
