# Regenerates the paper's tables: snakemake --cores all reproduce_table1
# Another scale: snakemake --cores all --config profile=real64 reproduce_table1
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"


rule reproduce_table1:
    default_target: True
    input:
        PIPELINE.stages["table1"].outputs,


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
