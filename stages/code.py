"""Write the digest of every job: of the code that it uses and of the values that it reads.

Writes runs/PROFILE/code.json, from which the other stages of dvc.yaml read their digests as
parameters: so an edit re-runs what it can change, and nothing else. Snakemake computes the same
digests in memory when it starts.
"""

import argparse
import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m stages.code",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--profile", help="a file of profiles/; by default that of params.yaml")
    options = parser.parse_args(arguments)
    try:
        Pipeline(load_config(options.profile)).write_digests()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
