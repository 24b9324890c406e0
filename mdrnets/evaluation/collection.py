"""Take completions of the test images that were made by other software.

As with completions made here, valid pixels are replaced by those of the original.
"""

import numpy as np

from mdrnets.config.load import Config, expand
from mdrnets.config.protocol import External
from mdrnets.data.evaluation_set import read_evaluation_set
from mdrnets.data.external import read_completions
from mdrnets.data.progress import ProgressBar
from mdrnets.errors import UserError
from mdrnets.evaluation.completion_files import create_completions


def collect_test_images(
    config: Config, *, dataset: str, method: str, progress: ProgressBar
) -> None:
    """Write the composites and the given images, uint8 bins×images×H×W×3.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        method: one with `completions` in the protocol.
        progress: shows the progress, in images.

    Raises:
        UserError: the method has no `completions`, images are missing, superfluous, unreadable or
            of another size, or the disk is too full.
    """
    external = config.protocol.methods[method]
    if not isinstance(external, External):
        raise UserError(f"params.yaml: methods.{method}: no `completions`; choose another method")
    test = read_evaluation_set(config, dataset)
    given = read_completions(
        expand(external.completions.format(dataset=dataset)),
        test.bins,
        size=test.images.shape[1],
    )
    images = progress(given, total=len(test.pairs), label=f"{method} on {dataset}")
    places = np.ndindex(test.shape[:2])  # bin and image, in the order of the pairs
    with create_completions(config, test, dataset=dataset, method=method) as (composites, raw):
        for place, pair, image in zip(places, test.pairs, images, strict=True):
            hole = test.holes[pair.hole_row][..., None]
            raw[place] = image
            composites[place] = np.where(hole, image, test.images[pair.image_row])
