"""Fill the hole of a photograph with a trained method.

The photograph has any size and format. White in the mask of the hole, which has the same size,
means missing. The network completes a square: the one that --crop names, by default the whole
photograph if it is square, else that of the face. All pixels outside of the hole stay as they are.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mdrnets.commands.command_line import command_parser
from mdrnets.config.constants import PAPERS_METHOD
from mdrnets.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from mdrnets.evaluation.squares import Square, TurnedSquare
    from mdrnets.methods.base import Method

FACE = "face"
"""What `--crop` may be, besides a square."""
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".webp", ".jpg", ".jpeg")
"""Of pictures that can be written. The last three compress with loss."""


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("complete", __doc__)
    parser.add_argument("photo", metavar="PHOTO", type=Path)
    parser.add_argument("--hole", required=True, type=Path, help="mask, white = missing")
    parser.add_argument(
        "--output", required=True, type=Path, help="picture to write, without loss as .png"
    )
    parser.add_argument(
        "--method",
        default=PAPERS_METHOD,
        help="a method of the profile, or a folder that `mdrnets export` wrote; the default is "
        "%(default)s",
    )
    parser.add_argument(
        "--dataset", help="the data set that the method was trained on (default: the first)"
    )
    parser.add_argument(
        "--crop",
        metavar="LEFT,TOP,SIDE|face",
        help="square around the face, in pixels; `face`: find and align it (needs dlib)",
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=1,
        help="completions to draw, of methods that draw samples: OUTPUT-1, OUTPUT-2, …",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the samples; default: 0")
    options = parser.parse_args(arguments)
    if options.samples < 1:
        parser.error(f"argument --samples: {options.samples}: expected a number above 0")
    if options.output.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"{options.output}: found the suffix {options.output.suffix!r}, expected one of "
            f"{', '.join(SUFFIXES)}; correct it"
        )
    for path in _outputs(options.output, options.samples):
        if path.is_dir():
            raise UserError(f"{path}: found a folder, expected the name of a picture; correct it")
    square: Square | TurnedSquare | None = None
    if options.crop not in (None, FACE):
        square = _square(options.crop)

    import numpy as np

    from mdrnets.evaluation.photos import complete_photo
    from mdrnets.exchange.python_api import read_hole, read_picture

    network, size = _load(options.profile, options.method, options.dataset)
    original = _open(options.photo)
    picture, hole = read_picture(original), read_hole(_open(options.hole))
    if square is None:
        square = _find_face(picture, hole, required=options.crop == FACE)
    photos = list(
        complete_photo(
            network,
            picture,
            hole,
            size=size,
            square=square,
            samples=options.samples,
            seed=options.seed,
        )
    )
    for path, photo in zip(_outputs(options.output, len(photos)), photos, strict=True):
        _save(path, photo, original)
        print(path)
    if len(photos) > 1 and all(np.array_equal(photos[0], photo) for photo in photos):
        print(f"{options.method}: it draws no samples, so all are equal", file=sys.stderr)
    return 0


def _square(text: str) -> "Square":
    from mdrnets.evaluation.squares import Square

    try:
        left, top, side = map(int, text.split(","))
    except ValueError:
        raise UserError(
            f"--crop: found {text}, expected three whole numbers LEFT,TOP,SIDE, or {FACE}"
        ) from None
    return Square(left, top, side)


def _find_face(
    picture: "np.ndarray", hole: "np.ndarray", *, required: bool
) -> "TurnedSquare | None":
    """The square of the face if it is required, or if the photograph is not square itself."""
    from mdrnets.evaluation.face_detection import align_face, detector_is_installed

    height, width = picture.shape[:2]
    if not required and (height == width or not detector_is_installed()):
        return None
    square = align_face(picture, hole)
    x, y = square.centre
    print(f"face: a square of {square.side} pixels around {x:.0f},{y:.0f}", file=sys.stderr)
    return square


def _load(profile: str | None, method: str, dataset: str | None) -> "tuple[Method, int]":
    """The trained method, and the size of its images."""
    from mdrnets.methods.exported import load_method
    from mdrnets.methods.exported_folder import DESCRIPTION

    if (Path(method) / DESCRIPTION).exists():
        loaded = load_method(method)
        return loaded.network, loaded.description.image_size

    from mdrnets.config.load import load_config
    from mdrnets.evaluation.completion import load_trained
    from mdrnets.exchange.export import find_training

    config = load_config(profile)
    dataset = find_training(config, method, dataset)
    return load_trained(config, method, dataset), config.profile.image_size


def _open(path: Path) -> "Image.Image":
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise UserError(f"{path}: file not found; correct the path") from None
    except Exception as error:  # decoders raise many exception types on corrupt data
        raise UserError(f"{path}: not a readable picture ({error}); replace it") from None


def _outputs(path: Path, count: int) -> list[Path]:
    if count == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]


def _save(path: Path, photo: "np.ndarray", original: "Image.Image") -> None:
    """Write a completed photograph, with the profile of the original's colours if it has these."""
    from PIL import Image

    from mdrnets.files import atomic_write

    form = Image.registered_extensions()[path.suffix.lower()]
    colours = original.info.get("icc_profile") if original.mode in ("RGB", "RGBA") else None
    with atomic_write(path) as temporary:
        Image.fromarray(photo).save(temporary, form, icc_profile=colours)
