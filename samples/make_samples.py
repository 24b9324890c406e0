"""Draw the built-in data: rendered faces with label maps, and irregular holes.

Writes these archives to the folder OUT (by default samples/archives/):
  rendered_a_faces.zip, rendered_b_faces.zip    NNNNN.webp, lossless, 96×96
  rendered_a_labels.zip, rendered_b_labels.zip  NNNNN.png, 8-bit grey, class ids 0…13
  holes.zip                                     NNNNN.png, 1 bit, white = hole; NNNNN // 100 is
                                                the step of 10 % of hole ratio

The archives are part of the repository; the workflow does not run this. The same versions of the
libraries give the same bytes.
"""

import argparse
import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from mdrnets.config.constants import STEPS
from mdrnets.files import atomic_write, reproducible_zipinfo
from samples.renderer.holes import irregular_hole
from samples.renderer.render import render
from samples.renderer.style import RENDERED_A, RENDERED_B, SceneStyle

SIZE = 96
FACES = 480  # per set: 400 for training, 20 for validation, 60 for testing
HOLES_PER_STEP = 100
_WEBP = {"format": "WEBP", "lossless": True, "quality": 80, "method": 6}
_PNG = {"format": "PNG", "optimize": True}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m samples.make_samples",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("samples/archives"),
        help="folder to write to (%(default)s)",
    )
    out: Path = parser.parse_args(arguments).out
    for style in (RENDERED_A, RENDERED_B):
        write_set(style, out, count=FACES)
    write_holes(out, per_step=HOLES_PER_STEP)
    return 0


def write_set(style: SceneStyle, out: Path, *, count: int) -> None:
    """Render a set's faces and label maps into two archives."""
    with (
        atomic_write(out / f"{style.name}_faces.zip") as faces_path,
        atomic_write(out / f"{style.name}_labels.zip") as labels_path,
        zipfile.ZipFile(faces_path, "w") as faces,
        zipfile.ZipFile(labels_path, "w") as labels,
    ):
        for index in tqdm(range(count), desc=style.name):
            image, label_map = render(style, index, SIZE)
            _add(faces, f"{index:05}.webp", Image.fromarray(image), _WEBP)
            _add(labels, f"{index:05}.png", Image.fromarray(label_map), _PNG)


def write_holes(out: Path, *, per_step: int) -> None:
    """Draw the holes into an archive, step by step; half of each step avoids the image border."""
    with (
        atomic_write(out / "holes.zip") as path,
        zipfile.ZipFile(path, "w") as holes,
    ):
        for index in tqdm(range(STEPS * per_step), desc="holes"):
            hole = draw_hole(index, per_step=per_step)
            _add(holes, f"{index:05}.png", Image.fromarray(hole), _PNG)


def draw_hole(index: int, *, per_step: int) -> np.ndarray:
    """Hole number `index` of the archive, bool."""
    step, within = divmod(index, per_step)
    rng = np.random.Generator(np.random.PCG64(index))
    return irregular_hole(rng, SIZE, step, at_border=2 * within >= per_step)


def _add(archive: zipfile.ZipFile, name: str, image: Image.Image, encoding: dict[str, Any]) -> None:
    """Append an image without a time, and without compressing it a second time."""
    encoded = io.BytesIO()
    image.save(encoded, **encoding)
    archive.writestr(reproducible_zipinfo(name), encoded.getvalue(), zipfile.ZIP_STORED)


if __name__ == "__main__":
    sys.exit(main())
