"""Score the semantic classes that are entirely in a hole, for the methods that are compared there.

Writes runs/PROFILE/per_class/DATASET.csv. The classes of a test image are those of its annotation,
or, where it has none, of the face parser's map of the ground truth.
"""

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from mdrnets.config.load import PARAMS
from mdrnets.dag.evaluate import per_class_networks
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.dataset import SPLIT_COLUMNS, open_array
from mdrnets.data.pixels import to_tensor
from mdrnets.data.tables import read_table
from mdrnets.errors import UserError
from mdrnets.evaluation.class_scores import ClassMap, ClassScore, score_classes, write_class_scores
from mdrnets.evaluation.scores import read_array
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.methods.building import load_network
from mdrnets.methods.mdrnets.parser import Parser
from mdrnets.runtime.numerics import set_numerics


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="the first data set of the profile")
    options = parser.parse_args(arguments)
    return execute("per_class", {"dataset": options.dataset}, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset, layout = run.wildcards["dataset"], run.layout
    bins = by_bin(read_assignment(layout.assignment(dataset)), run.config.protocol.bins)
    images = np.load(layout.images(dataset), mmap_mode="r")
    holes = np.load(layout.holes(), mmap_mode="r")
    rows = [pair.image_row for pair in next(iter(bins.values()))]  # the same in each bin
    maps = dict(zip(rows, _class_maps(run, images, rows), strict=True))

    scores: list[ClassScore] = []
    for name in run.progress(per_class_networks(run.config), label=f"classes of {dataset}"):
        completions = read_array(
            layout.completions(dataset, name),
            shape=(len(bins), len(rows), *images.shape[1:]),
            dtype="uint8",
            stage=f"python -m stages.complete --profile {run.config.name} {dataset} {name}",
        )
        for pairs, of_bin in zip(bins.values(), completions, strict=True):
            scores += score_classes(name, pairs, of_bin, images=images, holes=holes, maps=maps)
    write_class_scores(layout.per_class(dataset), scores)
    run.note("parsed_images", sum(found.source == "parsed" for found in maps.values()))


def _class_maps(run: StageRun, images: np.ndarray, rows: Sequence[int]) -> Iterator[ClassMap]:
    """Of these images: annotated where there is an annotation, else parsed."""
    layout, dataset = run.layout, run.wildcards["dataset"]
    table = layout.split(dataset)
    labelled = np.array([row["labelled"] == "1" for row in read_table(table, SPLIT_COLUMNS)])
    annotations = open_array(
        layout.labels(dataset), dtype="uint8", rows=int(labelled.sum()), table=table
    )
    at = np.cumsum(labelled) - 1  # the row of an annotation
    parsed = _parsed(run, images, [row for row in rows if not labelled[row]])
    for row in rows:
        if labelled[row]:
            yield ClassMap(annotations[at[row]], "annotated")
        else:
            yield ClassMap(next(parsed), "parsed")


def _parsed(run: StageRun, images: np.ndarray, rows: Sequence[int]) -> Iterator[np.ndarray]:
    """The frozen parser's maps, uint8 H×W."""
    config, profile = run.config, run.config.profile
    assert config.protocol.per_class is not None, "else there is no such stage"
    name = config.protocol.per_class.parser
    set_numerics(device=profile.device, precision="32-true", threads=profile.threads)
    device = torch.device(profile.device)
    source = config.trained_on(name, run.wildcards["dataset"])
    parser = load_network(config, run.layout, network=name, dataset=source).to(device)
    if not isinstance(parser, Parser):
        raise UserError(
            f"{PARAMS}: per_class.parser: {name} is no face parser; name a part of the module "
            f"{Parser.__module__}"
        )
    for begin in range(0, len(rows), profile.completion_batch):
        batch = to_tensor(images[list(rows[begin : begin + profile.completion_batch])], device)
        yield from parser.parse(batch).to(torch.uint8).cpu().numpy()


if __name__ == "__main__":
    sys.exit(main())
