# What the rules share: the table of stages, and how a stage becomes a rule.
import os
import shlex
import sys
import uuid
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir)))

from mdrnets.config.load import load_config
from mdrnets.execution.job_lines import show_one_line_per_job
from mdrnets.dag.pipeline import Pipeline
from mdrnets.planning.resources import read_plan
from mdrnets.reporting.reference.run import list_reference_tables

if unknown := set(config) - {"profile"}:
    raise WorkflowError(
        f"--config {min(unknown)}: unknown key, expected only `profile`; change other values in "
        "params.yaml or in the profile's file"
    )


PIPELINE = Pipeline(load_config(str(config["profile"]) if config else None))

if not workflow.output_settings.dryrun:
    show_one_line_per_job(logger)

PROFILE = PIPELINE.config.profile
RUN = PIPELINE.layout.run
ENVIRONMENT = str(Path(workflow.basedir, "environment.yml"))  # for --sdm conda
EMBEDDED = sorted(path.stem for path in Path("samples/archives").glob("*.zip"))

# `--resources gpu=N` limits GPUs, and each of them takes several jobs if the profile says so.
if "gpu" in workflow.global_resources and workflow.is_main_process:
    limit = workflow.global_resources["gpu"].value
    workflow.register_resource("gpu", limit * PROFILE.jobs_per_gpu)


def stages(group):
    return [stage for stage in PIPELINE.stages.values() if stage.group == group]


def constraints(stage):
    # Jobs whose outputs have the same pattern differ only in these values.
    return {wildcard: "|".join(values) for wildcard, values in stage.matrix.items()}


def log_file(stage):
    wildcards = [f"{{{wildcard}}}" for wildcard in stage.matrix]
    return RUN / "logs" / ("_".join([stage.name, *wildcards]) + ".log")


def reference_tables():
    return list_reference_tables(PIPELINE.config.name)


def ablation(name):
    if name not in PIPELINE.config.ablations:
        raise WorkflowError(
            f"profiles/{PIPELINE.config.name}.yaml: variants: found none of the rows of {name}; add "
            "some of those in params.yaml"
        )
    return PIPELINE.stages[name].outputs


# Output goes to the terminal and to the log. Ctrl-C, or SIGTERM to all processes, must not cut off
# the last messages of a stage, nor end the shell before it (`:` waits; a stage handles signals).
# A terminal that is gone or a full disk must not fail a stage that ended well: Snakemake would
# remove its outputs.
# One string for all rules: Snakemake reads it when a job runs, and `stage` has changed by then.
RUN_STAGE = (
    "trap : TERM; MDRNETS_CODE_DIGEST={params.digest[code]} "
    "{params.command} 2>&1 | (trap '' INT TERM PIPE; tee {log} || :)"
)


def digest(stage, wildcards):
    return PIPELINE.job(stage, wildcards).digest


# What jobs ask a cluster for, as `mdrnets plan` wrote it; jobs without a plan ask for what the
# cluster's profile has as `default-resources`.
PLANNED = read_plan(PIPELINE.layout.plan, PIPELINE.config.name)


def planned(stage):
    if not PLANNED:
        return {}

    def job_name(wildcards):
        return PIPELINE.job(stage, wildcards).name

    def request(name, wildcards):
        job = job_name(wildcards)
        # A plan that is older than the profile matters to clusters only.
        if workflow.local_exec:
            return PLANNED.get(job, {}).get(name, 0)
        if name not in PLANNED.get(job, {}):
            raise WorkflowError(
                f"{PIPELINE.layout.plan}: {job} not found; run `mdrnets plan --profile {PIPELINE.config.name}` again"
            )
        return PLANNED[job][name]

    plans = (PLANNED.get(job_name(wildcards)) for wildcards in stage.combinations())
    names = next(filter(None, plans), {})
    return {name: partial(request, name) for name in names}


def inputs(stage):
    # Files that no stage makes are local: if machines share no files, they are sent with the sources.
    made = (RUN, PIPELINE.layout.reports, Path("data"))
    return [
        path if any(map(path.is_relative_to, made)) else local(str(path))
        for path in stage.inputs
    ]


onstart:
    # One invocation: its stages become child runs of one MLflow run.
    os.environ.update(
        MDRNETS_INVOCATION=f"snakemake-{uuid.uuid4().hex[:12]}",
        MDRNETS_INVOCATION_COMMAND=shlex.join(["snakemake", *sys.argv[1:]]),
    )


def end():
    # After every run, also a failed one: the digests that it used, for DVC; its records, for MLflow.
    PIPELINE.write_digests()
    shell(f"python -m mdrnets sync --profile {PIPELINE.config.name} --quiet")


onsuccess:
    end()
    shell(f"python -m mdrnets results --profile {PIPELINE.config.name} --files")


onerror:
    end()
