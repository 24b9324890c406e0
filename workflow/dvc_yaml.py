"""Write `dvc.yaml` from the table of stages, for one profile.

`dvc repro` then runs the same commands with the same dependencies, parameters and outputs as
Snakemake, and `dvc metrics` and `dvc plots` compare what it reports. Run it after a change of
`params.yaml: profile`, or of the profile's methods or data sets; a test checks that the committed
file is current.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config.load import load_config
from mdrnets.config.protocol import PARAMS
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.stage import Stage
from mdrnets.errors import UserError
from mdrnets.execution.program import print_user_error, profile_parser
from mdrnets.files import write_text

TARGET = Path("dvc.yaml")
PLOTS = {"table1.csv": ("value", "method"), "curves.csv": ("step", "value")}
"""Tables that `dvc plots` draws: x and y; the template `.dvc/plots/` has the table's name."""
HEADER = "# Written by workflow/dvc_yaml.py from mdrnets/dag/ for the profile {profile}.\n"


class _Dumper(yaml.SafeDumper):
    """Writes what several stages share once, under the name of the first that has it."""

    def generate_anchor(self, node: yaml.Node) -> str:
        return str(getattr(node, "anchor_name", None) or super().generate_anchor(node))


class _InOneLine(list[Any]):
    """A list that is written in one line."""


@dataclass
class _Shared:
    """A list or mapping that several stages have: the same object, so that YAML has it once."""

    name: str
    value: Any


def _represent_line(dumper: yaml.SafeDumper, values: _InOneLine) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)


def _represent_shared(dumper: yaml.SafeDumper, shared: _Shared) -> yaml.Node:
    node = dumper.represent_data(shared.value)
    node.anchor_name = shared.name  # type: ignore[attr-defined]
    return node


_Dumper.add_representer(_InOneLine, _represent_line)
_Dumper.add_representer(_Shared, _represent_shared)


def dvc_yaml(pipeline: Pipeline) -> str:
    """The text of `dvc.yaml`."""
    reported = [
        path
        for stage in pipeline.stages.values()
        if stage.group == "report"
        for path in stage.outputs
    ]
    stages = {"code": _code_stage(pipeline)}
    stages |= {stage.name: _entry(pipeline, stage) for stage in pipeline.stages.values()}
    _share(stages)
    content = {
        "stages": stages,
        "metrics": [str(pipeline.layout.metrics)],
        "plots": [_plot(path) for path in reported if path.suffix == ".png" or path.name in PLOTS],
    }
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return HEADER.format(profile=pipeline.config.name) + text


def _share(stages: dict[str, dict[str, Any]]) -> None:
    """Make equal matrices and lists of dependencies one object."""
    for key in ("matrix", "deps"):
        shared: dict[str, _Shared] = {}
        for name, stage in stages.items():
            if key in stage:
                new = _Shared(f"{key}_of_{name}", stage[key])
                stage[key] = shared.setdefault(str(stage[key]), new)


def _plot(path: Path) -> str | dict[str, Any]:
    """A picture is shown as it is, a table by its template."""
    if path.name not in PLOTS:
        return str(path)
    x, y = PLOTS[path.name]
    return {str(path): {"x": x, "y": y, "template": path.stem}}


def _code_stage(pipeline: Pipeline) -> dict[str, Any]:
    """Runs first whenever anything changed that a digest may depend on."""
    packages = ("mdrnets", "stages")
    code = {path for job in pipeline.jobs() for path in job.code}
    elsewhere = {path for path in code if path.parts[0] not in packages}
    # Data outside the project are not in `deps`: every run checks their state.
    outside = any(stage.outside_keys for stage in pipeline.stages.values())
    return {
        "cmd": f"python -m stages.code --profile {pipeline.config.name}",
        "deps": _InOneLine(
            [*packages, *map(str, (PARAMS, *pipeline.config.files, *sorted(elsewhere)))]
        ),
        "outs": [{str(pipeline.layout.code): {"cache": False}}],
    } | ({"always_changed": True} if outside else {})


def _entry(pipeline: Pipeline, stage: Stage) -> dict[str, Any]:
    names = {axis: f"${{item.{axis}}}" for axis in stage.matrix}
    digest = ".".join([stage.name, *names.values()])
    entry: dict[str, Any] = {}
    if stage.matrix:
        entry["matrix"] = {axis: list(values) for axis, values in stage.matrix.items()}
    entry["cmd"] = pipeline.command(stage).format(**names)
    if stage.inputs:
        entry["deps"] = [str(path).format(**names) for path in stage.inputs]
    entry["params"] = _InOneLine([{str(pipeline.layout.code): [digest]}])
    entry["outs"] = [str(path).format(**names) for path in stage.outputs]
    return entry


def main() -> int:
    options = profile_parser(None, __doc__).parse_args()
    try:
        config = load_config(options.profile)
        if config.name != config.protocol.profile:
            raise UserError(
                f"{PARAMS}: profile: found {config.protocol.profile}, expected {config.name}: "
                "`dvc repro` runs the profile that this file names; change it"
            )
        write_text(TARGET, dvc_yaml(Pipeline(config)))
    except UserError as error:
        return print_user_error(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
