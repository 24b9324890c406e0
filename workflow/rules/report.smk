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
        params:
            settings=partial(settings, stage),
        shell:
            shell_command(stage)
