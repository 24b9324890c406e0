"""Shared by the benchmarks of trained methods: command line, method, validation faces, L1."""

import torch
from torch import Tensor

from mdrnets.config.load import Config, load_config
from mdrnets.data.assignment import select
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.data.pixels import to_pixels, to_tensor
from mdrnets.evaluation.validation_set import validation_pairs
from mdrnets.execution.command import profile_parser
from mdrnets.layout import Layout
from mdrnets.methods.base import Trainable
from mdrnets.methods.building import build_network
from mdrnets.methods.model_files import load_weights
from mdrnets.metrics.pixel import l1
from mdrnets.networks.composite import composite
from mdrnets.runtime.numerics import set_numerics


def from_command_line(
    description: str | None, network: str
) -> tuple[Config, Trainable, Tensor, Tensor]:
    """Parse profile and data set; return the trained network with `validation_faces`."""
    parser = profile_parser(None, description)
    parser.add_argument("dataset", help="a data set of the profile")
    options = parser.parse_args()
    config = load_config(options.profile)
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    model = trained(config, options.dataset, network)
    image, hole = validation_faces(config, options.dataset)
    print(f"{len(image)} validation images of {options.dataset}, holes of the largest bin\n")
    return config, model, image, hole


def trained(config: Config, dataset: str, network: str) -> Trainable:
    """Load a trained network in eval mode, including the networks that its losses need."""
    layout = Layout(config.name)
    model = build_network(config, layout, network=network, dataset=dataset)
    load_weights(layout.model(dataset, network), model)
    return model.eval()


def validation_faces(config: Config, dataset: str) -> tuple[Tensor, Tensor]:
    """Load validation images, B×3×H×W in [-1, 1], and holes of the largest bin, B×1×H×W."""
    layout = Layout(config.name)
    pairs = validation_pairs(config, dataset)
    images, holes = select(pairs, map_images(layout, dataset), map_holes(layout))
    return to_tensor(images), torch.from_numpy(holes).float()[:, None]


def hole_l1(output: Tensor, image: Tensor, hole: Tensor) -> float:
    """Return the L1 in the hole in %, as in `stages.validate`."""
    completed = torch.from_numpy(to_pixels(composite(image, output, hole)))
    return l1(completed, torch.from_numpy(to_pixels(image)), hole[:, 0] > 0).mean().item()
