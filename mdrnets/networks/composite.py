"""The composite of a completion: valid pixels of the input, generated pixels in the hole."""

from torch import Tensor


def composite(image: Tensor, output: Tensor, hole: Tensor) -> Tensor:
    """Paste the output into the hole: I ⊙ (1 − K) + O ⊙ K. `image` may be masked or complete."""
    return image * (1 - hole) + output * hole
