# Regenerates the paper's tables: snakemake --cores all reproduce_table1
# Another profile: snakemake --cores all --config profile=real64 -- reproduce_table1
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"


rule reproduce_table1:
    default_target: True
    input:
        PIPELINE.stages["table1"].outputs,


rule reproduce_table2:
    input:
        lambda _: ablation("table2"),


rule reproduce_claims:
    input:
        PIPELINE.stages["claims"].outputs,


rule reproduce_figures:
    input:
        [s.outputs for s in stages("report") if s.outputs[0].suffix == ".png"],


rule reproduce_all:
    input:
        [stage.outputs for stage in stages("report")],


# Makes nothing, so it runs whenever it is asked for, and fails if a cell is outside.
rule verify:
    input:
        [PIPELINE.layout.report(name) for name in reference_tables()],
    log:
        RUN / "logs" / "verify.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        command=f"python -m mdrnets verify --profile {PIPELINE.config.name}",
    shell:
        "{params.command} 2>&1 | tee -i {log}"


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
