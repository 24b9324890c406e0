"""The trained methods and the test faces of a profile, for the demo page."""

import base64
import io
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import Field

from mdrnets.config.load import Config
from mdrnets.config.options import Options
from mdrnets.data.dataset import SPLIT_COLUMNS, map_images
from mdrnets.data.png import encode_png, to_data_uri
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import load_trained
from mdrnets.evaluation.face_detection import INSTALL, align_face, detector_is_installed
from mdrnets.evaluation.photos import AnySquare, choose_square, complete_photo
from mdrnets.evaluation.squares import Square, TurnedSquare
from mdrnets.exchange.export import find_training
from mdrnets.exchange.python_api import read_hole, read_picture
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout
from mdrnets.methods.base import Method

MAX_SIDE = 1024
"""Pixels of a picture's longer side; the page scales larger ones down before it sends them."""
FACES = 12
"""Test faces of each data set that the page offers."""


class Upright(Options):
    """A square of the picture, in pixels."""

    left: int
    top: int
    side: int


Position = Annotated[float, Field(ge=-4 * MAX_SIDE, le=4 * MAX_SIDE)]


class Turned(Options):
    """A turned square of the picture, as `Demo.find_face` gives it; see `TurnedSquare`."""

    x: Position
    y: Position
    right_x: Position
    right_y: Position


class FaceTask(Options):
    """A picture whose face is to be found.

    Attributes:
        picture: a PNG, in base64.
        hole: a PNG of the same size, in base64; white is missing.
    """

    picture: str
    hole: str


class Task(FaceTask):
    """A picture to complete.

    Attributes:
        dataset: whose methods complete the picture.
        square: of the picture, to complete; None: all of it, which must be square.
        seed: of the samples, as `mdrnets complete --seed`.
    """

    dataset: str
    square: Upright | Turned | None = None
    seed: int = Field(default=0, ge=0, lt=2**31)


class Demo:
    """The trained methods and the test faces of a profile.

    Networks are loaded when they are first used, and kept. One thread computes all requests, one
    method after the other.
    """

    def __init__(self, config: Config) -> None:
        """Find the trained methods.

        Raises:
            UserError: none is trained.
        """
        self.config = config
        self.trained = {
            dataset: [method for method in self._networks if self._is_trained(method, dataset)]
            for dataset in config.profile.datasets
        }
        if not any(self.trained.values()):
            find_training(config, next(iter(self._networks), ""), None)  # says how to train it
        self._loaded: dict[tuple[str, str], Method] = {}
        self._worker = ThreadPoolExecutor(max_workers=1)

    def close(self) -> None:
        """End after the method that is being computed."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def describe(self) -> dict[str, Any]:
        """What the page needs to know at its start."""
        datasets = self.config.profile.datasets
        return {
            "profile": self.config.name,
            "max_side": MAX_SIDE,
            "detector": detector_is_installed(),
            "install": INSTALL,
            "datasets": [self._describe_dataset(name) for name in datasets if self.trained[name]],
        }

    def face(self, dataset: str, number: int) -> bytes:
        """A test face as PNG.

        Raises:
            UserError: the profile has no such data set, or the data set no such face; or the images
                are not here.
        """
        if dataset not in self.trained:
            raise UserError(f"{self.config.path}: datasets: {dataset} not found")
        rows = self._test_rows(dataset)
        if not 0 <= number < len(rows):
            raise UserError(f"face: found {number}, expected a number below {len(rows)}")
        return encode_png(map_images(Layout(self.config.name), dataset)[rows[number]])

    def find_face(self, task: FaceTask) -> dict[str, Any]:
        """The square of a face: as `Turned`, and by its corners, in pixels.

        Raises:
            UserError: there is no detector, no face, or a picture is not readable.
        """
        picture, hole = _decode(task.picture, task.hole)
        square = align_face(picture, hole)
        turned = Turned(
            x=square.centre[0], y=square.centre[1], right_x=square.right[0], right_y=square.right[1]
        )
        return {"square": turned.model_dump(), "corners": square.corners.round(1).tolist()}

    def complete(self, task: Task) -> Iterator[dict[str, str]]:
        """Check the task, and complete the picture with each trained method.

        Yields:
            Name and title of a method, with `picture`, a data URI, or `error`, a sentence.

        Raises:
            UserError: the task cannot be done, before anything is yielded.
        """
        if not self.trained.get(task.dataset):
            raise UserError(f"{self.config.path}: datasets: {task.dataset} has no trained method")
        picture, hole = _decode(task.picture, task.hole)
        square = choose_square(picture, hole, _read_square(task.square))
        return self._complete(task, picture, hole, square)

    def _complete(
        self, task: Task, picture: np.ndarray, hole: np.ndarray, square: AnySquare
    ) -> Iterator[dict[str, str]]:
        for method in self.trained[task.dataset]:
            outcome = {"name": method, "title": self.config.method_titles[method]}
            try:
                completed: Future[np.ndarray] = self._worker.submit(
                    self._complete_with, method, task, picture, hole, square
                )
            except RuntimeError:  # closed
                return
            try:
                yield outcome | {"picture": to_data_uri(encode_png(completed.result()))}
            except UserError as error:
                yield outcome | {"error": str(error)}
            except CancelledError:
                return

    def _complete_with(
        self, method: str, task: Task, picture: np.ndarray, hole: np.ndarray, square: AnySquare
    ) -> np.ndarray:
        key = (task.dataset, method)
        if key not in self._loaded:
            dataset = find_training(self.config, method, task.dataset)
            self._loaded[key] = load_trained(self.config, method, dataset)
        size = self.config.profile.image_size
        return next(
            complete_photo(
                self._loaded[key], picture, hole, size=size, square=square, seed=task.seed
            )
        )

    @property
    def _networks(self) -> list[str]:
        """The methods that can complete pictures here, without those of other software."""
        return [method for method in self.config.method_titles if method in self.config.networks]

    def _is_trained(self, method: str, dataset: str) -> bool:
        try:
            find_training(self.config, method, dataset)
        except UserError:
            return False
        return True

    def _describe_dataset(self, name: str) -> dict[str, Any]:
        titles = self.config.method_titles
        try:
            faces, reason = len(self._test_rows(name)), ""
        except UserError as error:
            faces, reason = 0, str(error)
        entry = self.config.profile.datasets[name]
        return {
            "name": name,
            "title": entry.title,
            "rendered": entry.rendered,
            "faces": faces,
            "no_faces": reason,
            "methods": [{"name": m, "title": titles[m]} for m in self.trained[name]],
            "untrained": [titles[m] for m in self._networks if m not in self.trained[name]],
        }

    def _test_rows(self, dataset: str) -> list[int]:
        """The rows of the first test faces among the packed images."""
        layout = Layout(self.config.name)
        map_images(layout, dataset)
        split = read_table(layout.split(dataset), SPLIT_COLUMNS)
        return [row for row, entry in enumerate(split) if entry["role"] == "test"][:FACES]


def _read_square(square: Upright | Turned | None) -> AnySquare | None:
    if square is None:
        return None
    if isinstance(square, Upright):
        return Square(square.left, square.top, square.side)
    turned = TurnedSquare((square.x, square.y), (square.right_x, square.right_y))
    if not any(turned.right):
        raise UserError("square: found a side of 0 pixels; choose another one")
    return turned


def _decode(picture: str, hole: str) -> tuple[np.ndarray, np.ndarray]:
    return read_picture(_decode_png(picture, "picture")), read_hole(_decode_png(hole, "hole"))


def _decode_png(text: str, name: str) -> Image.Image:
    """Decode a picture of the request, which can be anything.

    Raises:
        UserError: it is no PNG, or too large.
    """
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"])
        if max(image.size) > MAX_SIDE:
            raise UserError(
                f"{name}: found {image.width}×{image.height} pixels, expected at most {MAX_SIDE}"
            )
        image.load()
    except UserError:
        raise
    except Exception as error:  # decoders raise many exception types on corrupt data
        raise UserError(f"{name}: not a readable PNG ({error}); choose another one") from None
    return image
