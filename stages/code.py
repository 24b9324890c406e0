"""Write the digest of every job: of the code that it uses and of the values that it reads.

Writes runs/PROFILE/code.json, from which the other stages of dvc.yaml read their digests as
parameters: so an edit re-runs what it can change, and nothing else. Snakemake computes the same
digests in memory when it starts.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdrnets.errors import UserError
from mdrnets.execution.program import exit_code, profile_parser

if TYPE_CHECKING:
    from mdrnets.dag.pipeline import Pipeline


def main(arguments: Sequence[str] | None = None) -> int:
    options = profile_parser("python -m stages.code", __doc__).parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline

    def run() -> int:
        pipeline = Pipeline(load_config(options.profile))
        if "DVC_STAGE" in os.environ:
            check_dvc_yaml(pipeline)
        pipeline.write_digests()
        return 0

    return exit_code(run)


def check_dvc_yaml(pipeline: "Pipeline") -> None:
    """Refuse to let DVC run stages that belong to another configuration.

    Raises:
        UserError: params.yaml names another profile than the one for which dvc.yaml was written,
            or a stage of dvc.yaml is not what params.yaml and the profile make of it now.
    """
    import yaml

    from mdrnets.config.protocol import PARAMS
    from mdrnets.config.yaml_loader import load_yaml, locate
    from workflow.dvc_yaml import TARGET, dvc_yaml

    profile = pipeline.config.protocol.profile
    if profile != pipeline.config.name:
        raise UserError(
            f"{locate(PARAMS, 'profile')}: found {profile}, but {TARGET} was written for "
            f"{pipeline.config.name}; run `make dvc.yaml`"
        )
    expected, found = yaml.safe_load(dvc_yaml(pipeline))["stages"], load_yaml(TARGET)["stages"]
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            raise UserError(
                f"{TARGET}: stages.{name}: not as {PARAMS} and {pipeline.config.path} have it "
                "now; run `make dvc.yaml`"
            )


if __name__ == "__main__":
    sys.exit(main())
