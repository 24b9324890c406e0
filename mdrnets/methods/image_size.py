"""Which sizes of images a network accepts."""

from mdrnets.errors import UserError


def require_multiple(image_size: int, divisor: int, key: str) -> None:
    """Check that a network can halve its images as often as it does.

    Raises:
        UserError: the size is not a multiple; names the key that decides the number of halvings.
    """
    if image_size % divisor:
        raise UserError(
            f"{key}: found images of {image_size} pixels, expected a multiple of {divisor}; change "
            "the option or the profile's image_size"
        )
