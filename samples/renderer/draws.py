"""Random draws and palettes from which a scene is put together.

Every draw is built on `Generator.random` alone, the most stable of numpy's streams.
"""

import numpy as np

from samples.renderer.style import Choice, Range

SKIN = np.array(  # lightest to darkest
    [
        (0.98, 0.87, 0.80),
        (0.95, 0.79, 0.68),
        (0.90, 0.71, 0.59),
        (0.80, 0.60, 0.48),
        (0.66, 0.47, 0.37),
        (0.51, 0.35, 0.27),
        (0.37, 0.25, 0.20),
    ]
)
HAIR = {
    "black": (0.09, 0.08, 0.09),
    "dark_brown": (0.20, 0.13, 0.10),
    "brown": (0.35, 0.22, 0.14),
    "auburn": (0.48, 0.20, 0.10),
    "dark_blond": (0.56, 0.42, 0.26),
    "blond": (0.82, 0.66, 0.40),
    "grey": (0.62, 0.62, 0.63),
    "dyed": (0.55, 0.25, 0.55),
}
IRIS = (
    ((0.22, 0.13, 0.08), 4.0),
    ((0.40, 0.25, 0.12), 3.0),
    ((0.45, 0.40, 0.18), 1.5),
    ((0.30, 0.48, 0.32), 1.5),
    ((0.28, 0.48, 0.68), 3.0),
    ((0.48, 0.54, 0.58), 1.5),
)


class Draw:
    """Random quantities from one generator.

    Attributes:
        rng: the generator, for noise tables.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def between(self, bounds: Range) -> float:
        """Uniform."""
        return bounds[0] + (bounds[1] - bounds[0]) * self.rng.random()

    def triangular(self, limit: float) -> float:
        """Triangular around 0, within ±limit."""
        return limit * (self.rng.random() + self.rng.random() - 1)

    def chance(self, share: float) -> bool:
        """True in this share of the draws."""
        return self.rng.random() < share

    def pick(self, choice: Choice) -> str:
        """One of the names, by weight."""
        return choice[self._index([weight for _, weight in choice])][0]

    def iris(self) -> np.ndarray:
        """An iris colour."""
        colour, _ = IRIS[self._index([weight for _, weight in IRIS])]
        return self.near(colour, 0.05)

    def skin(self, tone: float) -> np.ndarray:
        """A skin colour; tone 0 is lightest, 1 darkest."""
        place = tone * (len(SKIN) - 1)
        below = min(int(place), len(SKIN) - 2)
        mixed = SKIN[below] + (place - below) * (SKIN[below + 1] - SKIN[below])
        return mixed * (1 + np.array([0.0, self.triangular(0.04), self.triangular(0.08)]))

    def near(self, colour: tuple[float, ...] | np.ndarray, amount: float) -> np.ndarray:
        """A colour within ±amount of this one, in brightness and a little in hue."""
        hue = np.array([self.triangular(amount / 2) for _ in range(3)])
        return np.clip(np.asarray(colour) + hue + self.triangular(amount), 0.02, 1)

    def colour(self, *, saturation: Range, value: Range) -> np.ndarray:
        """Any hue, with bounded saturation and brightness."""
        hue = 6 * self.rng.random()
        wheel = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
        return self.between(value) * (1 - self.between(saturation) * (1 - wheel))

    def _index(self, weights: list[float]) -> int:
        place = self.rng.random() * sum(weights)
        for index, weight in enumerate(weights):
            place -= weight
            if place < 0:
                return index
        return len(weights) - 1
