# The Snakefile of a bundle: trains, completes and scores on a machine without network.
#   snakemake --cores all --resources gpu=1
import sys

sys.path.insert(0, str(workflow.basedir))

from mdrnets.exchange.bundle import select_jobs, list_inputs, read_manifest
from mdrnets.layout import BUNDLE

config.setdefault("profile", read_manifest().profile)


include: "workflow/rules/common.smk"


rule results:
    default_target: True
    input:
        [job.outputs for job in select_jobs(PIPELINE)],


rule unpack:
    input:
        local(str(BUNDLE)),
    output:
        list_inputs(read_manifest()),
    log:
        RUN / "logs" / "unpack.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        "python -m mdrnets unpack-bundle 2>&1 | tee -i {log}"


include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"


onsuccess:
    print(
        "\nAll results are there. Pack them: "
        f"tar -cf results.tar --exclude=packed --exclude=state {RUN}\n"
        "Where the bundle was made: mkdir results && tar -xf results.tar -C results && "
        f"mdrnets import-results --profile {PIPELINE.config.name} results"
    )


onerror:
    pass  # instead of common.smk's handler, which sends records to MLflow
