"""Typed, validated options: the base classes of everything that is read from YAML.

This module must not import torch, since the workflow engines read the configuration too.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mdrnets.errors import UserError

MAX_EPOCHS = 1_000_000


class Options(BaseModel):
    """An immutable record that rejects unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TrainOptions(Options):
    """The options that the training of every network has; a subclass adds its own.

    The defaults of a subclass are the full-size values of its paper, each with a mark that says
    where it is from (see `mdrnets.config.marks`). A profile overrides them. Instead of `steps` it
    may give `epochs`, the number of times that the training sees each image.
    """

    takes_epochs: ClassVar[bool] = True
    """False: the phases have batches of different sizes."""

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)


def with_steps(
    values: Mapping[str, Any], *, batch_size: Any, images: int, place: Callable[[str], str]
) -> dict[str, Any]:
    """Replace `epochs` among the options of a network by the equivalent number of steps.

    Args:
        values: the options in the profile, `epochs` included.
        batch_size: images per step.
        images: images per epoch.
        place: gives file, line and key for error messages, see `validation.Place`.

    Raises:
        UserError: `epochs` is no number between 0 and `MAX_EPOCHS`, `steps` is given too, or the
            batch size is missing or invalid.
    """
    epochs = values["epochs"]
    number = isinstance(epochs, int | float) and not isinstance(epochs, bool)
    if not (number and 0 < epochs < MAX_EPOCHS):
        raise UserError(
            f"{place('epochs')}: expected a number above 0 and below {MAX_EPOCHS:,}, found "
            f"{epochs!r}"
        )
    if "steps" in values:
        raise UserError(f"{place('epochs')}: `steps` is given as well; remove one of them")
    if not isinstance(batch_size, int) or batch_size < 1:
        raise UserError(
            f"{place('batch_size')}: `epochs` needs a whole number above 0, found {batch_size!r}; "
            "set the batch size"
        )
    options = {key: value for key, value in values.items() if key != "epochs"}
    return options | {"steps": math.ceil(epochs * images / batch_size)}
