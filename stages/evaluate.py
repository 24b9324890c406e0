"""Score a method's completions of a data set's test images.

Writes runs/PROFILE/scores/DATASET/METHOD.csv (each image), METHOD.json (means, distances and their
intervals, by bin) and runs/PROFILE/features/DATASET/METHOD.npy (float32 bins×images×D).
"""

import sys
import time

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
    from mdrnets.evaluation.evaluate_method import evaluate_method
    from mdrnets.evaluation.features import write_features
    from mdrnets.evaluation.scores import Score
    from mdrnets.evaluation.summary import save_summary
    from mdrnets.files.tables import write_rows

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    begin = time.monotonic()
    evaluation = evaluate_method(run.config, dataset=dataset, method=method, progress=run.progress)
    write_rows(run.layout.scores(dataset, method), Score, evaluation.scores)
    write_features(run.layout.features(dataset, method), evaluation.features)
    save_summary(run.layout.summary(dataset, method), evaluation.summary)

    for key, value in evaluation.measurements().items():
        run.note(key, value)  # MLflow compares them between methods
    run.note("images_per_second", len(evaluation.scores) / (time.monotonic() - begin))


if __name__ == "__main__":
    sys.exit(main())
