"""The name of a network: which component or method, which variant of it, which of its trainings."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class NetworkId:
    """The parts of a name: `NAME`, `NAME@VARIANT`, `NAME@seed2` or `NAME@VARIANT@seed2`.

    `str()` is the name in paths, commands and random seeds.

    Attributes:
        base: a component or a method of params.yaml.
        variant: a variant of the ablations; empty for the network itself.
        training: which of its trainings, from 1; each has a seed of its own.
    """

    base: str
    variant: str = ""
    training: int = 1

    @classmethod
    def parse(cls, name: str) -> Self:
        """The inverse of `str()`."""
        rest, separator, number = name.rpartition("@seed")
        if not (separator and number.isdecimal()):
            rest, number = name, "1"
        base, _, variant = rest.partition("@")
        return cls(base, variant, int(number))

    def __str__(self) -> str:
        variant = f"@{self.variant}" if self.variant else ""
        training = f"@seed{self.training}" if self.training > 1 else ""
        return f"{self.base}{variant}{training}"

    @property
    def is_plain(self) -> bool:
        """Whether it is the first training of the network itself."""
        return self == type(self)(self.base)
