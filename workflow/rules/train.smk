# Every network of the profile. Those that others wait for start first, then those that waited.
def priority(stage):
    if stage.network in PIPELINE.config.protocol.components:
        return 3
    return 2 if stage.components else 1


for stage in stages("train"):

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
        priority: priority(stage)
        conda:
            ENVIRONMENT
        threads: PROFILE.threads * PROFILE.devices
        resources:
            **planned(stage),
            gpu=PIPELINE.gpus(stage),
        params:
            command=PIPELINE.command(stage),
            digest=partial(digest, stage),
        shell:
            RUN_STAGE
