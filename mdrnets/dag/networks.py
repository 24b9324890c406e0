"""Networks that have the same stages: one matrix for each group of them.

Stages of networks that differ in a name only are one stage; a network that needs files of its own
(frozen components, label maps, published weights) has a stage of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mdrnets.config.load import Config
from mdrnets.config.network_id import NetworkId
from mdrnets.config.protocol import Network
from mdrnets.dag.stage import METHOD, VARIANT

TRAINING = "{training}"
"""The wildcard of further trainings, from 2."""


@dataclass(frozen=True)
class NetworkGroup:
    """Networks, on the data sets that they are trained on or complete.

    Attributes:
        suffix: of the names of their stages.
        network: the networks' name, with wildcards.
        matrix: the values of the wildcards; the last one is the data set.
        example: one of the networks; all are alike in what a stage reads and makes.
        base: the component or method whose options all of them start from, with wildcards.
    """

    suffix: str
    network: str
    matrix: dict[str, tuple[str, ...]]
    example: Network
    base: str

    def stage_name(self, program: str) -> str:
        return program + self.suffix


def component_groups(config: Config) -> Iterator[NetworkGroup]:
    """The components that the profile trains, each alone."""
    for name in config.protocol.components:
        if name in config.trained:
            yield from _groups(config, f"_{name}", [name])


def method_groups(config: Config) -> Iterator[NetworkGroup]:
    """The methods and variants that are run here; first those that need nothing else."""
    methods = [name for name in config.profile.methods if name in config.networks]
    plain = [name for name in methods if _is_plain(config.network(name))]
    if plain:
        yield from _groups(config, "", plain)
    for name in methods:
        if name not in plain:
            yield from _groups(config, f"_{name}", [name])
    if config.profile.variants:
        base = str(config.protocol.ablation_base)
        matrix = {"variant": config.profile.variants}
        yield from _with_trainings(config, "_variant", NetworkId(base, VARIANT), matrix)


def _is_plain(network: Network) -> bool:
    own_files = network.uses or network.labels or network.weights
    return network.trained and network.dataset is None and not own_files


def _groups(config: Config, suffix: str, names: Sequence[str]) -> Iterator[NetworkGroup]:
    if len(names) == 1 and suffix:
        yield from _with_trainings(config, suffix, NetworkId(names[0]), {})
    else:
        yield from _with_trainings(config, suffix, NetworkId(METHOD), {"method": tuple(names)})


def _with_trainings(
    config: Config, suffix: str, network: NetworkId, matrix: dict[str, tuple[str, ...]]
) -> Iterator[NetworkGroup]:
    """The first trainings, and the further ones of a profile with `seeds`."""
    example = str(network).format(**{axis: values[0] for axis, values in matrix.items()})
    entry = config.network(example)
    datasets = tuple(config.profile.datasets)
    trained_on = datasets if entry.dataset is None else (datasets[entry.dataset],)
    yield NetworkGroup(suffix, str(network), {**matrix, "dataset": trained_on}, entry, network.base)
    further = tuple(
        str(NetworkId.parse(name).training)
        for name in (
            config.trainings(example)
            if example in config.protocol.methods or network.variant
            else ()
        )
        if NetworkId.parse(name).training > 1
    )
    if further:
        yield NetworkGroup(
            f"{suffix}_further",
            f"{network}@seed{TRAINING}",
            {**matrix, "training": further, "dataset": trained_on},
            entry,
            network.base,
        )
