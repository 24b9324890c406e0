"""A stage of the DAG, as both engines see it.

Paths, parameter keys and commands may hold wildcards such as `{dataset}`, one for each of the
stage's axes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Literal

from mdrnets.dag.code import python_files

Group = Literal["data", "train", "evaluate", "report"]
D, S = "{dataset}", "{source}"
"""The wildcards of paths and arguments."""


@dataclass(frozen=True)
class Stage:
    """One command for every combination of its axes.

    Attributes:
        name: of the rule in Snakemake and of the stage in DVC.
        group: the rule file that it belongs to.
        program: module under `stages/`.
        arguments: of the program, besides the profile.
        axes: wildcard → its values; none: the stage runs once.
        inputs: files made by other stages, or raw input.
        outputs: files that it makes.
        modules: whose code, imports included, decides the outputs.
        protocol, settings: keys that it reads in `params.yaml` and in the profile; the empty key is
            the whole file.
        setup: whether the tracking database must be there; false for the stage that makes it.
    """

    name: str
    group: Group
    program: str
    arguments: tuple[str, ...]
    modules: tuple[str, ...]
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    outputs: tuple[Path, ...] = ()
    protocol: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    setup: bool = True

    @cached_property
    def code(self) -> tuple[Path, ...]:
        return python_files(*self.modules)

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every assignment of the axes."""
        for values in product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))


def stage_name(program: str, network: str) -> str:
    """`@` has a meaning of its own in DVC."""
    return f"{program}_{network.replace('@', '_')}"
