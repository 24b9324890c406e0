"""A stage of the DAG, as both engines see it.

Paths, keys, networks and arguments may hold wildcards such as `{dataset}`, one for each axis of the
stage's matrix.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

Group = Literal["data", "train", "evaluate", "report"]
Wildcards = Mapping[str, str]
DATASET, SOURCE, METHOD, VARIANT = "{dataset}", "{source}", "{method}", "{variant}"
"""The wildcards of paths and arguments."""


@dataclass(frozen=True)
class Stage:
    """One command for every combination of its matrix.

    Attributes:
        name: of the rule in Snakemake and of the stage in DVC.
        group: the rule file that it belongs to.
        program: module under `stages/`.
        arguments: of the program, besides the profile.
        modules: whose code, imports included, decides the outputs; besides the program's and those
            of its networks.
        matrix: wildcard → its values; empty: the stage runs once.
        inputs: files made by other stages, or raw input.
        outputs: files that it makes.
        data_files: files of the project that its code reads, such as a list of ids.
        params_keys, profile_keys: what it reads of `params.yaml` and of the profile; the empty key
            is the whole file.
        outside_keys: of `params.yaml` and of the profile, by file: values that are paths outside of
            the project, whose files or folders it reads.
        network: the network that it trains or runs; its module and its resolved values (seed,
            options, the data sets that its components are trained on) decide the outputs.
        components: frozen networks that it uses, whose modules count as its code.
        uses_options: whether it reads the network's options from the profile. A trained network
            brings its options along.
    """

    name: str
    group: Group
    program: str
    arguments: tuple[str, ...]
    modules: tuple[str, ...] = ()
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    outputs: tuple[Path, ...] = ()
    data_files: tuple[Path, ...] = ()
    params_keys: tuple[str, ...] = ()
    profile_keys: tuple[str, ...] = ()
    outside_keys: tuple[tuple[Path, str], ...] = ()
    network: str | None = None
    components: tuple[str, ...] = ()
    uses_options: bool = False

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every assignment of the wildcards."""
        for values in product(*self.matrix.values()):
            yield dict(zip(self.matrix, values, strict=True))
