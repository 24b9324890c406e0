# Tables, claims and figures, and their captions for `snakemake --report`.
from mdrnets.reporting.captions import caption, escape_rst

CATEGORIES = {".png": "Figures", ".html": "Report"}


def shown(stage):
    # JSON files, which only programs read, have no caption.
    return [path for path in stage.outputs if path.suffix != ".json"]


def described(stage, path):
    if path not in shown(stage):
        return path
    return report(
        path,
        caption="../report/caption.rst",
        category=CATEGORIES.get(stage.outputs[0].suffix, "Tables"),
        labels={
            "content": caption(path.stem, PIPELINE.config).title,
            "form": path.suffix[1:],
        },
    )


# The templates in workflow/report/ find this as `snakemake.config`: unlike parameters of a rule, it
# makes no output stale.
config["report"] = {
    "profile": escape_rst(PIPELINE.config.name),
    "description": escape_rst(PROFILE.description),
    "data": [
        escape_rst(f"{d.title}, beside the paper's {d.published_as}")
        for d in PROFILE.datasets.values()
    ],
    "captions": {
        stage.name: {
            path.stem: [escape_rst(t) for t in caption(path.stem, PIPELINE.config)]
            for path in shown(stage)
        }
        for stage in stages("report")
    },
}


report: "../report/workflow.rst"


for stage in stages("report"):

    rule:
        name:
            stage.name
        input:
            inputs(stage),
        output:
            [described(stage, path) for path in stage.outputs],
        log:
            log_file(stage),
        localrule: stage.name != "claims"  # with a thousand test images it takes hours
        conda:
            ENVIRONMENT
        threads: PROFILE.threads
        params:
            command=PIPELINE.command(stage),
            digest=partial(digest, stage),
        shell:
            RUN_STAGE
