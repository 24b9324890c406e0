"""Compare a trained method with its own untrained network, on validation images.

Writes runs/PROFILE/validation/DATASET/METHOD.json: L1 in the holes of the largest bin for the
trained method, the untrained one and a mean fill, and the multiply-accumulates of a completion. For
the method of the ablations and its variants also METHOD_faces.safetensors: scores of its outputs
and of the coarse faces that it starts from.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
    from mdrnets.dag.evaluate import refines
    from mdrnets.evaluation.validation import validate_method
    from mdrnets.evaluation.validation_set import ValidationSet
    from mdrnets.files import write_text

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    validation = ValidationSet(run.config, dataset=dataset, method=method)
    summary = validate_method(validation)
    write_text(run.layout.validation(dataset, method), summary.model_dump_json(indent=1) + "\n")

    if refines(run.config, method):
        from mdrnets.evaluation.refined_faces import save_refined_faces
        from mdrnets.evaluation.refinement import score_refinement

        faces = score_refinement(validation, progress=run.progress)
        save_refined_faces(run.layout.refined_faces(dataset, method), faces)


if __name__ == "__main__":
    sys.exit(main())
