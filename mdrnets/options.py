"""Typed, validated options: the base of everything that is read from YAML.

Import-light on purpose: the workflow engines read the configuration without importing torch.
"""

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """A frozen record that refuses unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TrainOptions(Options):
    """What every network's training takes; a subclass adds widths, weights and rates.

    Defaults of a subclass are the paper's full-size values, each with its source in a trailing
    comment. A profile overrides them.
    """

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
