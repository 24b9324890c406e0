"""Score the semantic classes that are entirely in a hole, for the methods that are compared.

Writes runs/PROFILE/per_class/DATASET.csv. The classes of a test image are those of its annotation
or, without one, the face parser's map of the ground truth.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset")
def main(run: StageRun) -> None:
    from mdrnets.evaluation.class_scores import ClassScore
    from mdrnets.evaluation.per_class import load_class_maps, score_compared_networks
    from mdrnets.files.tables import write_rows

    dataset = run.wildcards["dataset"]
    maps = load_class_maps(run.config, dataset=dataset)
    scores = score_compared_networks(run.config, dataset=dataset, maps=maps, progress=run.progress)
    write_rows(run.layout.per_class(dataset), ClassScore, scores)
    run.note("parsed_images", sum(class_map.source == "parsed" for class_map in maps.values()))


if __name__ == "__main__":
    sys.exit(main())
