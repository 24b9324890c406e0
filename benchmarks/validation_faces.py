"""Shared by the benchmarks of trained methods: command line, method, validation faces, scores."""

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate
from torch import Tensor

from benchmarks.parts import Measurement, Part, save_parts
from mdrnets.config.load import Config, load_config
from mdrnets.data.assignment import select
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.data.pixels import hole_to_tensor, to_pixels, to_tensor
from mdrnets.evaluation import validation
from mdrnets.evaluation.validation_set import validation_pairs
from mdrnets.execution.program import profile_parser
from mdrnets.layout import Layout
from mdrnets.methods.base import Trainable
from mdrnets.methods.building import build_network
from mdrnets.methods.model_files import load_weights
from mdrnets.networks.composite import composite
from mdrnets.runtime.numerics import set_numerics


@dataclass(frozen=True)
class TrainedRun:
    """A trained network, and the faces that it is measured on.

    Attributes:
        config: of its profile.
        dataset: name in the profile.
        save: whether results are saved for docs/real_faces.md.
        model: in eval mode.
        image, hole: see `validation_faces`.
    """

    config: Config
    dataset: str
    save: bool
    model: Trainable
    image: Tensor
    hole: Tensor

    def report(self, measurement: Measurement, rows: Sequence[tuple[str, float]]) -> None:
        """Print what was measured of each part, and save it if that was asked for."""
        print(tabulate(rows, measurement, tablefmt="pipe", floatfmt=".3g"), end="\n\n")
        if self.save:
            table = measurement.table
            save_parts(Part(self.config.name, self.dataset, table, *row) for row in rows)


def from_command_line(description: str | None, network: str) -> TrainedRun:
    """Parse profile and data set, and load the network and the faces."""
    parser = profile_parser(None, description)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("--save", action="store_true", help="also write to benchmarks/parts.csv")
    options = parser.parse_args()
    config = load_config(options.profile)
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    model = trained(config, options.dataset, network)
    image, hole = validation_faces(config, options.dataset)
    print(f"{len(image)} validation images of {options.dataset}, holes of the largest bin\n")
    return TrainedRun(config, options.dataset, options.save, model, image, hole)


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
    return to_tensor(images), hole_to_tensor(holes)


def mean_fill(image: Tensor, hole: Tensor) -> Tensor:
    """Return the images with each hole in the mean colour of the valid pixels."""
    return to_tensor(validation.fill_with_mean(to_pixels(image), (hole[:, 0] > 0).numpy()))


def hole_l1(output: Tensor, image: Tensor, hole: Tensor) -> float:
    """Return the L1 in the hole in %, as in `stages.validate`."""
    completed = to_pixels(composite(image, output, hole))
    return validation.hole_l1(completed, to_pixels(image), (hole[:, 0] > 0).numpy())
