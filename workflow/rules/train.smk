# Every network of the profile. What others wait for starts first, and then those that waited.
def priority(stage):
    name = stage.arguments[-1]
    if name in PIPELINE.config.protocol.components:
        return 3
    return 2 if PIPELINE.config.trained[name].uses else 1


for stage in stages("train"):

    rule:
        name:
            stage.name
        input:
            inputs(stage),
            needed(stage),
        output:
            stage.outputs,
        log:
            log_file(stage),
        priority: priority(stage)
        conda:
            ENVIRONMENT
        threads: PROFILE.threads * PROFILE.devices
        resources:
            **planned(stage),
            gpu=PIPELINE.gpus(stage),
        params:
            command=PIPELINE.command(stage),
            settings=partial(settings, stage),
        shell:
            RUN_STAGE
