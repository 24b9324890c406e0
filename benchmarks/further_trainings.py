"""Save the scores of all finished trainings of a run, complete or not, in further_trainings.csv.

`mdrnets keep` saves complete runs. A run of many long trainings may stay incomplete; this saves
those that are finished and scored, with the commit and the weights that made them. A training that
was saved before is replaced, all others stay.

    snakemake --cores all --config profile=real64-celebahq -- SCORES
    python benchmarks/further_trainings.py --profile real64-celebahq
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.saved_rows import replace_rows
from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.execution.program import print_user_error, profile_parser
from mdrnets.reporting.reference.save import check_current
from mdrnets.reporting.reference.trainings import TrainingScore, read_trainings
from mdrnets.tracking.executions import executions

FURTHER_TRAININGS = Path(__file__).resolve().with_name("further_trainings.csv")


@dataclass(frozen=True)
class FurtherTraining(TrainingScore):
    """A score of a training.

    Attributes:
        profile: of the run.
        commit: of the code that trained it.
        weights: SHA-256 of the file of its weights.
    """

    profile: str
    commit: str
    weights: str


def save_trainings(new: Iterable[FurtherTraining], path: Path = FURTHER_TRAININGS) -> None:
    """Replace the scores of the same trainings, and keep those of all others."""
    replace_rows(path, FurtherTraining, new, _training)


def _training(score: FurtherTraining) -> tuple[str, str, str, int]:
    return score.profile, score.dataset, score.method, score.training


def scored_trainings(pipeline: Pipeline) -> list[FurtherTraining]:
    """The scores of all trainings of methods and variants that are here.

    Raises:
        UserError: a score, or a file behind it, has changed after it was made.
    """
    config, layout = pipeline.config, pipeline.layout
    ran = executions(pipeline)
    makers = {path: execution for execution in ran for path in execution.job.outputs}
    further, scored = [], set()
    for score in read_trainings(config, layout):
        network = config.trainings(score.method)[score.training - 1]
        weights = layout.model(score.dataset, network)
        if weights not in makers:  # nothing to train, or published weights
            continue
        trained = makers[weights].record
        further.append(
            FurtherTraining(
                **vars(score),
                profile=config.name,
                commit=trained.git.describe(12),
                weights=trained.outputs[str(weights)].sha256,
            )
        )
        scored |= {
            layout.completions(score.dataset, network),
            layout.summary(score.dataset, network),
        }
    check_current({path: makers[path] for path in scored}, ran)
    return further


def main() -> int:
    config = load_config(profile_parser(None, __doc__).parse_args().profile)
    try:
        scores = scored_trainings(Pipeline(config))
    except UserError as error:
        return print_user_error(error)
    save_trainings(scores)
    for profile, dataset, method, training in dict.fromkeys(map(_training, scores)):
        print(f"{profile}: saved training {training} of {method} on {dataset}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
