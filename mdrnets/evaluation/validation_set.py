"""Validation images with a hole of the largest bin, and their completions by networks.

Training and choices see these images only; test images are not used.
"""

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.data.assignment import Pair, read_assignment
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import load_network
from mdrnets.methods.numerics import set_profile_numerics
from mdrnets.runtime.seeds import derived_seed


class ValidationSet:
    """The validation images of one data set, for one trained method.

    Attributes:
        config: protocol and profile.
        dataset: name in the profile.
        method: name of the method.
        trained: the method, on `device`.
        pairs: images with their holes.
        images: uint8 N×H×W×3.
        holes: bool N×H×W, True = hole.
        device: of the profile.
    """

    def __init__(self, config: Config, *, dataset: str, method: str) -> None:
        """Load the trained method and map the data.

        Raises:
            UserError: no validation image has a hole of the largest bin, or the method has no
                model.
        """
        layout, profile = Layout(config.name), config.profile
        set_profile_numerics(profile)
        self.config, self.dataset, self.method = config, dataset, method
        self.device = torch.device(profile.device)
        self.pairs = validation_pairs(config, dataset)
        self.images = map_images(layout, dataset)
        self.holes = map_holes(layout)
        trained = load_network(config, layout, network=method, dataset=dataset).to(self.device)
        assert isinstance(trained, Method), "checked when completing"
        self.trained = trained
        self._completed: dict[Method, np.ndarray] = {}

    def complete(self, network: Method) -> np.ndarray:
        """The composites, uint8 n×H×W×3 in the order of `pairs`, computed once per network."""
        if network not in self._completed:
            profile = self.config.profile
            batches = complete_pairs(
                network,
                self.pairs,
                images=self.images,
                holes=self.holes,
                batch_size=profile.completion_batch,
                seed=derived_seed(self.config.seed(self.method), "validation", self.dataset),
                device=self.device,
                precision=profile.precision,
            )
            self._completed[network] = np.concatenate([composites for composites, _ in batches])
        return self._completed[network]


def validation_pairs(config: Config, dataset: str) -> list[Pair]:
    """The validation images of a data set, with a hole of the largest bin.

    Raises:
        UserError: there is none.
    """
    largest = config.protocol.largest_bin
    assignment = Layout(config.name).assignment(dataset)
    validation = read_assignment(assignment, role="validation")
    pairs = [pair for pair in validation if pair.bin == largest]
    if not pairs:
        key = config.locate(f"datasets.{dataset}.split.validation")
        raise UserError(
            f"{key}: found no validation image with a "
            f"hole of {largest} %; raise it, or holes.validation"
        )
    return pairs
