"""A made-up run: two methods on two data sets of six images of 16², in three bins."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from mdrnets.data.assignment import Pair
from mdrnets.reporting.figures.completed_set import CompletedSet

SIZE, COUNT = 16, 6
BINS = ("1-20", "20-40", "40-60")
METHODS = {"pconv": "PConv", "mdrnets": "MDRNets"}
SETS = {"set_a": "Rendered faces A", "set_b": "Rendered faces B"}


def make_sets(*, methods: tuple[str, ...] = tuple(METHODS), seed: int = 0) -> list[CompletedSet]:
    """Noise; in bin number b the upper b × 3 rows are the hole of all images."""
    generator = np.random.default_rng(seed)
    holes = np.zeros((len(BINS), SIZE, SIZE), dtype=bool)
    for number in range(len(BINS)):
        holes[number, : 3 * (number + 1)] = True
    sets = []
    for name, title in SETS.items():
        images = generator.integers(0, 256, (COUNT, SIZE, SIZE, 3), dtype=np.uint8)
        shape = (len(BINS), *images.shape)
        completions = {m: generator.integers(0, 256, shape, dtype=np.uint8) for m in methods}
        bins = {
            bin_name: [
                Pair(f"{at:05}", at, bin_name, f"{number}", number, 0.2 * number + 0.1, "test")
                for at in range(COUNT)
            ]
            for number, bin_name in enumerate(BINS)
        }
        sets.append(CompletedSet(bins, images, holes, name, title, completions))
    return sets


def texts(figure: Figure) -> list[str]:
    """All that is written in it."""
    visible = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return [text for text in visible if text]


def pictures(figure: Figure) -> list[np.ndarray]:
    """All faces shown in it, in the order of drawing."""
    return [np.asarray(image.get_array()) for image in figure.axes[0].get_images()]
