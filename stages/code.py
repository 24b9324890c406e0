"""Write the digest of every job: of the code that it uses and of the values that it reads.

Writes runs/PROFILE/code.json, from which the other stages of dvc.yaml read their digests as
parameters: so an edit re-runs what it can change, and nothing else. Snakemake computes the same
digests in memory when it starts.
"""

import sys
from collections.abc import Sequence

from mdrnets.errors import UserError
from mdrnets.execution.command import print_user_error, profile_parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = profile_parser("python -m stages.code", __doc__).parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline

    try:
        Pipeline(load_config(options.profile)).write_digests()
    except UserError as error:
        return print_user_error(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
