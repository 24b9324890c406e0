"""Describe a finished run as a Workflow Run RO-Crate: reports/PROFILE/crate.zip.

The crate describes every execution whose outputs exist: program, parameters, software, times, and
inputs and outputs with their SHA-256. It contains the tables, scores, splits and run records. With
--with-data it also contains images and weights; check the terms of the data sets before you share
it.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import command_parser
from mdrnets.errors import UserError


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("crate", __doc__)
    parser.add_argument("--agent", help="name of the person who ran it (default: git's user.name)")
    parser.add_argument("--agent-url", help="URL that identifies this person, such as an ORCID")
    parser.add_argument("--with-data", action="store_true", help="copy all files, images included")
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline
    from mdrnets.exchange.crate import Agent, build_crate
    from mdrnets.exchange.unchanged import require_unchanged
    from mdrnets.files import atomic_write
    from mdrnets.tracking.executions import executions

    pipeline = Pipeline(load_config(options.profile))
    agent = Agent(options.agent or _git_user(), options.agent_url)
    finished = executions(pipeline)
    require_unchanged(finished)
    crate = build_crate(pipeline, finished, agent=agent, with_data=options.with_data)
    target = pipeline.layout.report("crate.zip")
    with atomic_write(target) as temporary:
        crate.write_zip(temporary)
    print(f"{target}: {len(finished)} executions")
    return 0


def _git_user() -> str:
    from mdrnets.tracking.provenance import run_git

    if not (name := run_git(Path(), "config", "user.name")):
        raise UserError("git: user.name is not set; pass --agent NAME")
    return name
