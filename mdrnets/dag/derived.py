"""A digest of what tables, figures and pages read besides the keys of the configuration."""

import json

from pydantic_core import to_jsonable_python

from mdrnets.config.load import Config
from mdrnets.config.network_id import NetworkId
from mdrnets.dag.code import text_digest


def derived_digest(config: Config) -> str:
    """Sixteen hexadecimal digits of what the configuration's code computes from its keys.

    That code is not part of a job's code, so an edit of it re-renders only through this digest.
    """
    # Further trainings differ from the first one in their seeds, which the report does not show.
    networks = {
        name: network
        for name, network in config.networks.items()
        if NetworkId.parse(name).training == 1
    }
    names = (*networks, *config.protocol.methods)
    values = (
        {name: config.title(name) for name in names},
        config.method_titles,
        networks,
        config.ablations,
        config.figures,
        {name: dataset.rendered for name, dataset in config.profile.datasets.items()},
        config.profile.first_dataset,
        config.protocol.largest_bin,
    )
    return text_digest(json.dumps(to_jsonable_python(values), ensure_ascii=False))
