# Completions of the test images and their scores.
for stage in stages("evaluate"):

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
        conda:
            ENVIRONMENT
        threads: PROFILE.threads
        resources:
            **planned(stage),
            gpu=PIPELINE.gpus(stage),
        params:
            command=PIPELINE.command(stage),
            digest=partial(digest, stage),
        shell:
            RUN_STAGE
