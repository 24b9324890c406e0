# From the raw archives to packed arrays, and the assignment of holes to images.


# Copied without DVC, which needs a git checkout: the bytes are those that data.dvc describes.
rule data:
    input:
        [local(f"samples/archives/{name}.zip") for name in EMBEDDED],
    output:
        [PIPELINE.layout.data(name) for name in EMBEDDED],
    log:
        "runs/data.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        "cp samples/archives/*.zip data/ 2>&1 | tee -i {log}"


for stage in stages("data"):

    rule:
        name:
            stage.name
        input:
            inputs(stage),
        output:
            stage.outputs,
        log:
            log_file(stage),
        wildcard_constraints:
            **constraints(stage),
        priority: 4
        # On a cluster, short stages and downloads run where Snakemake runs.
        localrule: stage.program in ("check", "download")
        conda:
            ENVIRONMENT
        params:
            command=PIPELINE.command(stage),
            digest=partial(digest, stage),
        shell:
            RUN_STAGE
