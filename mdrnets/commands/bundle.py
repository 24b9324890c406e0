"""Pack a profile's trainings for a machine without network, such as a cluster's node.

Writes two archives into FOLDER. mdrnets-PROFILE.zip holds the code and the packed images, holes and
label maps, compressed losslessly; make them first. mdrnets-PROFILE-wheels.zip holds the packages
that the other machine lacks: list the packages that it has with `pip list > pip-list.txt` there.

There, unpack both archives in one folder, and in mdrnets-PROFILE:
  python -m venv --system-site-packages .venv && . .venv/bin/activate
  pip install --no-index --no-deps --find-links wheels -r wheels/requirements.txt
  snakemake --cores all --resources gpu=1
It trains, completes and scores; neither DVC nor MLflow is needed. `mdrnets import-results` takes
the results back.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("bundle", __doc__)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="folder of both archives"
    )
    parser.add_argument(
        "--python",
        required=True,
        metavar="VERSION",
        help="version of Python on that machine, such as 3.12",
    )
    parser.add_argument(
        "--have",
        type=Path,
        required=True,
        metavar="FILE",
        help="file with the output of `pip list` on that machine",
    )
    parser.add_argument(
        "--find-links",
        type=Path,
        metavar="FOLDER",
        help="take the wheels from this folder instead of pip's index",
    )
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline
    from mdrnets.exchange.bundle import WITHOUT, list_packages, select_jobs, write_bundle
    from mdrnets.exchange.wheels import (
        find_lacking,
        read_pip_list,
        read_requirements,
        write_wheels,
    )

    pipeline = Pipeline(load_config(options.profile))
    root = f"mdrnets-{pipeline.config.name}"
    present = read_pip_list(options.have)
    imports = list_packages(pipeline, select_jobs(pipeline))
    names = find_lacking(imports, present, python=options.python, without=WITHOUT)
    requirements = read_requirements(names, python=options.python)

    archive = options.output / f"{root}.zip"
    jobs = write_bundle(pipeline, archive)
    print(f"{archive}: {len(jobs)} jobs, {_megabytes(archive)}")
    if names:
        wheels = options.output / f"{root}-wheels.zip"
        write_wheels(
            wheels, requirements, root=root, python=options.python, find_links=options.find_links
        )
        print(f"{wheels}: {len(names)} packages, {_megabytes(wheels)}: {', '.join(names)}")
    else:
        print("The other machine lacks no package.")
    return 0


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
