"""Which sizes of images a network accepts."""

from mdrnets.errors import UserError


def require_halvings(image_size: int, levels: int, key: str) -> None:
    """Check that a U-Net can halve its images `levels` times, and ends with 2×2 pixels or more.

    BatchNorm has no variance over one pixel of one image.

    Raises:
        UserError: it cannot; names the key that decides the number of halvings.
    """
    require_multiple(image_size, 2**levels, key)
    if image_size < 2 ** (levels + 1):
        raise UserError(
            f"{key}: found {levels} halvings of {image_size} pixels, expected 2×2 pixels or more "
            "after them; lower it"
        )


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
