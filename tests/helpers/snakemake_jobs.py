"""Print, as JSON, what each job of a profile declares in Snakemake's own DAG.

Run in a process of its own, since Snakemake changes the process that it runs in.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
)

with (
    contextlib.redirect_stdout(io.StringIO()),
    SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
):
    workflow = api.workflow(
        resource_settings=ResourceSettings(cores=1),
        config_settings=ConfigSettings(config={"profile": sys.argv[1]}),
        snakefile=Path("Snakefile"),
    )
    workflow.dag(DAGSettings(targets={"reproduce_all"}, forceall=True)).printrulegraph()
    jobs = {
        min(job.output): {
            "command": job.params.command,
            "inputs": sorted(str(path) for path in job.input),
            "outputs": sorted(str(path) for path in job.output),
            "digest": job.params["digest"],
        }
        for job in workflow._workflow.dag.jobs
        if hasattr(job.params, "digest")
    }

print(json.dumps(jobs))
