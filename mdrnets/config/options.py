"""Typed, validated options: the base of everything that is read from YAML.

Import-light on purpose: the workflow engines read the configuration without importing torch.
"""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mdrnets.errors import UserError


class Options(BaseModel):
    """A frozen record that refuses unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TrainOptions(Options):
    """What every network's training takes; a subclass adds widths, weights and rates.

    Defaults of a subclass are the paper's full-size values, each with its source in a trailing
    comment. A profile overrides them; in place of `steps` it may say `epochs`, how often the
    training sees each image.
    """

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)


def with_steps(
    values: Mapping[str, Any], *, batch_size: Any, images: int, where: str
) -> dict[str, Any]:
    """A network's options with the steps that its `epochs` come to.

    Args:
        values: as the profile gives them, with `epochs`.
        batch_size: images a step.
        images: images an epoch.
        where: file and key, for errors.

    Raises:
        UserError: `epochs` is no positive number, stands beside `steps`, or lacks a batch size.
    """
    epochs = values["epochs"]
    if isinstance(epochs, bool) or not isinstance(epochs, int | float) or epochs <= 0:
        raise UserError(f"{where}.epochs: expected a number above 0, not {epochs!r}")
    if "steps" in values:
        raise UserError(f"{where}: it has both `steps` and `epochs`; keep one of them")
    if not isinstance(batch_size, int) or batch_size < 1:
        raise UserError(f"{where}.batch_size: `epochs` need a whole number above 0; give it")
    others = {key: value for key, value in values.items() if key != "epochs"}
    return others | {"steps": math.ceil(epochs * images / batch_size)}
