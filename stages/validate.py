"""Compare a trained method with its own untrained network, on validation images.

Writes runs/PROFILE/validation/DATASET/METHOD.json: L1 over the holes of the last bin, trained,
untrained and of a mean fill, and the multiply-accumulates of a completion.
"""

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from mdrnets.data.assignment import read_assignment
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.evaluation.validation import validate
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.files import write_text
from mdrnets.methods.base import Method
from mdrnets.methods.building import load_network, untrained_network
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a trained method of the profile")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("validate", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset, name = run.wildcards["dataset"], run.wildcards["method"]
    layout, protocol, profile = run.layout, run.config.protocol, run.config.profile
    set_numerics(device=profile.device, precision=profile.precision, threads=profile.threads)
    device = torch.device(profile.device)

    last = list(protocol.bins)[-1]
    pairs = [
        pair
        for pair in read_assignment(layout.assignment(dataset), role="validation")
        if pair.bin == last
    ]
    if not pairs:
        raise UserError(
            f"{run.config.path}: datasets.{dataset}.split.validation: there are no validation "
            f"images with a hole of {last} %; raise it, or holes.validation"
        )
    images = np.load(layout.images(dataset), mmap_mode="r")
    holes = np.load(layout.holes(), mmap_mode="r")

    def complete(method: Method) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return complete_pairs(
            method,
            pairs,
            images=images,
            holes=holes,
            batch_size=profile.completion_batch,
            seed=derived_seed(run.config.seed(name), "validation", dataset),
            device=device,
            precision=profile.precision,
        )

    trained, untrained = (
        load(run.config, layout, network=name, dataset=dataset).to(device)
        for load in (load_network, untrained_network)
    )
    assert isinstance(trained, Method) and isinstance(untrained, Method), "so completion checked"
    validation = validate(trained, untrained, pairs, images=images, holes=holes, complete=complete)
    write_text(layout.validation(dataset, name), validation.model_dump_json(indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
