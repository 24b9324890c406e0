"""Collect completions of the test images of a data set that were made by other software.

Writes runs/PROFILE/completions/DATASET/METHOD.npy (composites: valid pixels are those of the input)
and METHOD_raw.npy (the given images), uint8 bins×images×H×W×3.
"""

import sys

from mdrnets.errors import UserError
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun
from mdrnets.files import atomic_write


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
    import numpy as np

    from mdrnets.config.load import expand
    from mdrnets.config.protocol import External
    from mdrnets.data.assignment import select
    from mdrnets.data.evaluation_set import read_evaluation_set
    from mdrnets.data.external import read_completions

    dataset, name = run.wildcards["dataset"], run.wildcards["method"]
    method = run.config.protocol.methods[name]
    if not isinstance(method, External):
        raise UserError(f"params.yaml: methods.{name}: no `completions`; choose another method")
    layout = run.layout
    test = read_evaluation_set(run.config, dataset)
    path = expand(method.completions.format(dataset=dataset))
    completions = run.progress(
        read_completions(path, test.bins, size=test.images.shape[1]),
        total=len(test.pairs),
        label=f"{name} on {dataset}",
    )
    raw = np.stack(list(completions))
    originals, hole = select(test.pairs, test.images, test.holes)
    for target, array in (
        (layout.completions(dataset, name), np.where(hole[..., None], raw, originals)),
        (layout.raw_outputs(dataset, name), raw),
    ):
        with atomic_write(target) as temporary, temporary.open("wb") as file:
            np.save(file, array.reshape(test.shape))


if __name__ == "__main__":
    sys.exit(main())
