"""Describe the run that is here as a Workflow Run RO-Crate: reports/PROFILE/crate.zip.

Everything whose outputs are here is described from its record: programs, parameters, software,
times, inputs and outputs by SHA-256. Tables, scores, splits and records are copied into the crate,
images and weights only with --with-data: mind the terms of the data sets.
"""

import subprocess
import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.exchange.crate import Agent, build_crate, check_current
from mdrnets.execution.command import handle_user_errors, stage_parser
from mdrnets.files import atomic_write
from mdrnets.tracking.executions import executions


@handle_user_errors
def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("--agent", help="who ran it; by default git's user.name")
    parser.add_argument("--agent-url", help="that identifies this person, such as an ORCID")
    parser.add_argument("--with-data", action="store_true", help="copy every file, images too")
    options = parser.parse_args(arguments)
    pipeline = Pipeline(load_config(options.profile))
    agent = Agent(options.agent or _git_user(), options.agent_url)
    ran = executions(pipeline)
    check_current(ran)
    crate = build_crate(pipeline, ran, agent=agent, with_data=options.with_data)
    target = pipeline.layout.report("crate.zip")
    with atomic_write(target) as temporary:
        crate.write_zip(temporary)
    print(f"{target}: {len(ran)} executions")
    return 0


def _git_user() -> str:
    asked = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True)
    if not asked.stdout.strip():
        raise UserError("git does not know who you are; say --agent NAME")
    return asked.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
