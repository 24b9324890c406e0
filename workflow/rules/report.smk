# Tables.
for stage in stages("report"):

    rule:
        name:
            stage.name
        input:
            stage.inputs,
            stage.code,
            needed(stage),
        output:
            stage.outputs,
        log:
            log_file(stage),
        conda:
            ENVIRONMENT
        params:
            command=PIPELINE.command(stage),
            settings=partial(settings, stage),
        shell:
            RUN_STAGE
