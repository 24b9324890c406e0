"""Load a trained method of a profile."""

from mdrnets.config.load import Config
from mdrnets.evaluation.completion import require_method
from mdrnets.exchange.export import find_training
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import build_network, load_network


def load_trained(config: Config, method: str, dataset: str | None) -> Method:
    """Return a method in eval mode, on the CPU.

    Args:
        config: protocol and profile.
        method: a method or a variant that the profile runs.
        dataset: that it was trained on; None: the first one of the profile.

    Raises:
        UserError: see `find_training`; or its files are damaged.
    """
    dataset = find_training(config, method, dataset)
    load = load_network if config.network(method).trained else build_network
    network = load(config, Layout(config.name), network=method, dataset=dataset).eval()
    return require_method(method, network)
