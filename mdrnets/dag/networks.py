"""Groups of networks that share their stages.

Networks that differ only in their names share one stage with a matrix; a network that needs other
files (frozen components, label maps, published weights) has its own stage.
"""

from collections.abc import Iterator
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
    """The components that the profile trains, each alone; they are trained once."""
    for name in config.protocol.components:
        if name in config.trained:
            yield _group(config, f"_{name}", NetworkId(name), {})


def method_groups(config: Config) -> Iterator[NetworkGroup]:
    """The methods and variants that are run here; first those that need nothing else."""
    methods = [name for name in config.profile.methods if name in config.networks]
    plain = tuple(name for name in methods if _is_plain(config.network(name)))
    if plain:
        yield from _trainings(config, "", NetworkId(METHOD), {"method": plain})
    for name in methods:
        if name not in plain:
            yield from _trainings(config, f"_{name}", NetworkId(name), {})
    if config.profile.variants:
        variants = NetworkId(str(config.protocol.ablation_base), VARIANT)
        yield from _trainings(config, "_variant", variants, {"variant": config.profile.variants})


def _is_plain(network: Network) -> bool:
    own_files = network.uses or network.labels or network.weights
    return network.trained and network.dataset is None and not own_files


def _trainings(
    config: Config, suffix: str, network: NetworkId, matrix: dict[str, tuple[str, ...]]
) -> Iterator[NetworkGroup]:
    """The first trainings, and the further ones of a profile with `seeds`."""
    first = _group(config, suffix, network, matrix)
    yield first
    if first.example.trained and config.profile.seeds > 1:
        numbers = tuple(map(str, range(2, config.profile.seeds + 1)))
        yield NetworkGroup(
            suffix=f"{suffix}_further",
            network=f"{network}@seed{TRAINING}",
            matrix={**matrix, "training": numbers, "dataset": first.matrix["dataset"]},
            example=first.example,
            base=network.base,
        )


def _group(
    config: Config, suffix: str, network: NetworkId, matrix: dict[str, tuple[str, ...]]
) -> NetworkGroup:
    example = config.network(str(network).format(**{axis: v[0] for axis, v in matrix.items()}))
    datasets = tuple(config.profile.datasets)
    if example.dataset is not None:
        datasets = (datasets[example.dataset],)
    return NetworkGroup(
        suffix, str(network), {**matrix, "dataset": datasets}, example, network.base
    )
