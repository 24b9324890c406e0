# Every network of the profile. What others wait for starts first, and then those that waited.
def priority(stage):
    network = PIPELINE.config.trained[stage.name.removeprefix("train_")]
    return (
        2
        if network in PIPELINE.config.protocol.parts.values()
        else 1 if network.uses else 0
    )


for stage in stages("train"):

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
        priority: priority(stage)
        threads: PROFILE.threads
        resources:
            gpu=int(PROFILE.device == "cuda"),
        params:
            command=PIPELINE.command(stage),
            settings=partial(settings, stage),
        shell:
            RUN_STAGE
