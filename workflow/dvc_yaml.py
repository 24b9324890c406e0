"""Write `dvc.yaml` from the table of stages, for one profile.

`dvc repro` then runs the same commands with the same dependencies, parameters and outputs as
Snakemake, and `dvc metrics` and `dvc plots` compare what it reports. Run it after a change of
`params.yaml: profile`, of the methods or data sets, or of what a module imports; a test checks that
the committed file is current.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config.load import PARAMS, load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.stage import Stage
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.reporting.captions import caption

TARGET = Path("dvc.yaml")
PLOTS = {"table1.csv": ("value", "method"), "curves.csv": ("step", "value")}
"""Tables that `dvc plots` draws: x and y; the template `.dvc/plots/` has the table's name."""
HEADER = "# Written by workflow/dvc_yaml.py from mdrnets/dag/ for the profile {profile}.\n"


def dvc_yaml(pipeline: Pipeline) -> str:
    """The text of `dvc.yaml`."""
    stages = {stage.name: _entry(pipeline, stage) for stage in pipeline.stages.values()}
    reported = [
        path
        for stage in pipeline.stages.values()
        if stage.group == "report"
        for path in stage.outputs
    ]
    content = {
        "stages": stages,
        "metrics": [str(path) for path in reported if path.suffix == ".json"],
        "plots": [_plot(pipeline, p) for p in reported if p.suffix == ".png" or p.name in PLOTS],
    }
    text = yaml.safe_dump(content, sort_keys=False, width=100, allow_unicode=True)
    return HEADER.format(profile=pipeline.config.name) + text


def _plot(pipeline: Pipeline, path: Path) -> str | dict[str, Any]:
    """A picture is shown as it is, a table by its template."""
    if path.name not in PLOTS:
        return str(path)
    x, y = PLOTS[path.name]
    title = caption(path.stem, pipeline.config).title
    return {str(path): {"x": x, "y": y, "template": path.stem, "title": title}}


def _entry(pipeline: Pipeline, stage: Stage) -> dict[str, Any]:
    names = {axis: f"${{item.{axis}}}" for axis in stage.axes}
    inputs = (*stage.inputs, pipeline.layout.setup) if stage.setup else stage.inputs
    entry: dict[str, Any] = {
        "cmd": pipeline.command(stage).format(**names),
        "deps": [str(path).format(**names) for path in (*inputs, *stage.code)],
        "params": [
            {str(path): [key.format(**names) for key in keys] if "" not in keys else None}
            for path, keys in ((PARAMS, stage.protocol), (pipeline.config.path, stage.settings))
            if keys
        ],
        "outs": [str(path).format(**names) for path in stage.outputs],
    }
    if stage.axes:
        matrix = {axis: list(values) for axis, values in stage.axes.items()}
        entry = {"matrix": matrix, **entry}
    return entry


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--profile", help="a file name under profiles/; default: as params.yaml says"
    )
    options = parser.parse_args()
    try:
        write_text(TARGET, dvc_yaml(Pipeline(load_config(options.profile))))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
