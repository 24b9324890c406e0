"""Complete one photograph of any size: a square of it is scaled to the network's size and back."""

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image

from mdrnets.data.pixels import hole_to_tensor, to_pixels, to_tensor
from mdrnets.errors import UserError
from mdrnets.evaluation.squares import Square, TurnedSquare, resample_valid
from mdrnets.methods.base import Method
from mdrnets.runtime.seeds import derived_seed

AnySquare = Square | TurnedSquare


def choose_square(image: np.ndarray, hole: np.ndarray, square: AnySquare | None) -> AnySquare:
    """Check photograph, hole and square, and return the square to complete.

    Args:
        image: uint8 H×W×3.
        hole: bool H×W, True = missing.
        square: None: the whole photograph, which must be square.

    Raises:
        UserError: the sizes differ, the photograph is not square and no square is given, an upright
            square is not within the photograph, or the hole is empty, all of the square, or outside
            it.
    """
    height, width = image.shape[:2]
    if hole.shape != (height, width):
        raise UserError(
            f"hole: found {hole.shape[1]}×{hole.shape[0]} pixels, expected {width}×{height} as the "
            "photograph; save it in the same size"
        )
    if square is None:
        if width != height:
            side = min(width, height)
            raise UserError(
                f"photograph: found {width}×{height} pixels, expected a square; name the square "
                "around the face, framed as in the training images, for example "
                f"--crop {(width - side) // 2},{(height - side) // 2},{side}, or find the face "
                "with --crop face"
            )
        square = Square(0, 0, width)
    if isinstance(square, Square):
        right, bottom = square.left + square.side, square.top + square.side
        if min(square.left, square.top, square.side - 1) < 0 or right > width or bottom > height:
            raise UserError(
                f"crop: found {square.left},{square.top},{square.side}, expected LEFT,TOP,SIDE "
                f"within {width}×{height} pixels"
            )
    if not hole.any():
        raise UserError("hole: found no white pixel, expected white where the image is missing")
    if outside := square.count_outside(hole):
        raise UserError(
            f"hole: {outside} of its pixels are outside of the square; name a larger square, or a "
            "smaller hole"
        )
    if square.cut_valid(image, hole)[1].all():
        raise UserError("hole: the whole square is missing, expected some valid pixels around it")
    return square


def complete_photo(
    method: Method,
    image: np.ndarray,
    hole: np.ndarray,
    *,
    size: int,
    square: AnySquare | None = None,
    samples: int = 1,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """Fill the hole of a photograph.

    The square is turned upright and scaled to the network's size, where every pixel that the hole
    touches counts as missing; its completion is scaled and turned back, and pasted into the hole.
    All other pixels keep their values.

    Args:
        method: in eval mode, on any device.
        image: uint8 H×W×3, RGB, upright.
        hole: bool H×W, True = missing.
        size: H = W of what the method completes.
        square: to complete; None: the whole photograph, which must be square.
        samples: how many completions to draw; they differ if the method draws samples.
        seed: of the samples.

    Yields:
        Completed photographs, uint8 H×W×3.

    Raises:
        UserError: see `choose_square`.
    """
    square = choose_square(image, hole, square)
    small, small_hole = downscale_valid(*square.cut_valid(image, hole), size)
    device = next((p.device for p in method.parameters()), torch.device("cpu"))
    tensor = to_tensor(small[None], device)
    hole_tensor = hole_to_tensor(small_hole[None], device)
    for number in range(samples):
        generator = torch.Generator(device).manual_seed(derived_seed(seed, "photo", number))
        with torch.inference_mode():
            output = method.complete(tensor * (1 - hole_tensor), hole_tensor, generator).float()
        face = Image.fromarray(to_pixels(output)[0])
        large = np.asarray(face.resize((square.side, square.side), Image.Resampling.BICUBIC))
        completed = image.copy()
        completed[hole] = square.sample(large, hole)
        yield completed


def downscale_valid(
    image: np.ndarray, hole: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scale a square image with a hole; the content of the hole does not affect valid pixels.

    Args:
        image: uint8 S×S×3.
        hole: bool S×S, True = missing.
        size: of the result.

    Returns:
        The image, uint8 size×size×3, and its hole, bool size×size: each pixel that the hole
        touches.
    """
    return resample_valid(image, hole, lambda plane: _scale(plane, size))


def _scale(plane: np.ndarray, size: int) -> np.ndarray:
    """Scale a plane with weights that are never negative, and sum to 1."""
    scaled = Image.fromarray(plane.astype(np.float32)).resize(
        (size, size), Image.Resampling.BILINEAR
    )
    return np.asarray(scaled)
