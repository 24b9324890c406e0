"""The table of stages: the one description of the DAG, from which both engines take theirs.

`workflow/rules/*.smk` make a Snakemake rule of each `Stage`; `workflow/dvc_yaml.py` writes them to
`dvc.yaml`. The stages themselves are in `mdrnets/dag/`, a file for each of the rule files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mdrnets.config.load import PARAMS, Config
from mdrnets.dag.data import data_stages
from mdrnets.dag.evaluate import evaluation_stages
from mdrnets.dag.report import figure_stages, page_stage, report_stages
from mdrnets.dag.stage import Stage
from mdrnets.dag.train import training_stages
from mdrnets.errors import UserError
from mdrnets.layout import Layout


@dataclass(frozen=True)
class Job:
    """One execution of a stage: all wildcards filled in."""

    name: str
    command: str
    inputs: tuple[Path, ...]
    code: tuple[Path, ...]
    outputs: tuple[Path, ...]
    parameters: Mapping[str, Any]
    gpus: int


class Pipeline:
    """All stages of a profile.

    Attributes:
        stages: by name, in an order in which they can run.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.layout = Layout(config.name)
        self.stages = {stage.name: stage for stage in _stages(config, self.layout)}
        self._files = {
            PARAMS: yaml.safe_load(PARAMS.read_text(encoding="utf-8")),
            config.path: yaml.safe_load(config.path.read_text(encoding="utf-8")),
        }

    def job(self, stage: Stage, wildcards: Mapping[str, str]) -> Job:
        """One execution."""
        inputs = (*stage.inputs, self.layout.setup) if stage.setup else stage.inputs
        return Job(
            name=" ".join([stage.name, *wildcards.values()]),
            command=self.command(stage).format(**wildcards),
            inputs=_filled(inputs, wildcards),
            code=stage.code,
            outputs=_filled(stage.outputs, wildcards),
            parameters=self.parameters(stage, wildcards),
            gpus=self.gpus(stage),
        )

    def command(self, stage: Stage) -> str:
        """The shell command, with wildcards."""
        return " ".join(
            [
                "python -m",
                f"stages.{stage.program}",
                "--profile",
                self.config.name,
                *stage.arguments,
            ]
        )

    def gpus(self, stage: Stage) -> int:
        """How many GPUs an execution computes on: those that it reads of in the profile."""
        profile = self.config.profile
        if profile.device == "cpu" or "device" not in stage.settings:
            return 0
        return profile.devices if "devices" in stage.settings else 1

    def find(self, program: str, arguments: Sequence[str]) -> Job:
        """The execution that a program was started for.

        Raises:
            UserError: the profile has no such execution.
        """
        for stage in self.stages.values():
            if stage.program == program:
                for wildcards in stage.combinations():
                    if [a.format(**wildcards) for a in stage.arguments] == list(arguments):
                        return self.job(stage, wildcards)
        raise UserError(
            f"{self.config.path}: the profile has no stage `{' '.join([program, *arguments])}`"
        )

    def jobs(self) -> Iterator[Job]:
        """All executions of the profile."""
        for stage in self.stages.values():
            for wildcards in stage.combinations():
                yield self.job(stage, wildcards)

    def parameters(self, stage: Stage, wildcards: Mapping[str, str]) -> dict[str, Any]:
        """The values that an execution reads, by `file:key`."""
        keys = [(PARAMS, key) for key in stage.protocol]
        keys += [(self.config.path, key) for key in stage.settings]
        return {
            f"{path}:{key.format(**wildcards)}": _looked_up(self._files[path], key, wildcards)
            for path, key in keys
        }


def _stages(config: Config, layout: Layout) -> Iterator[Stage]:
    yield from data_stages(config, layout)
    yield from training_stages(config, layout)
    yield from evaluation_stages(config, layout)
    rendered = [*report_stages(config, layout), *figure_stages(config, layout)]
    yield from rendered
    yield page_stage(config, layout, rendered)


def _filled(paths: tuple[Path, ...], wildcards: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(Path(str(path).format(**wildcards)) for path in paths)


def _looked_up(values: Any, key: str, wildcards: Mapping[str, str]) -> Any:
    for part in key.format(**wildcards).split(".") if key else []:
        values = values[part] if isinstance(values, Mapping) and part in values else None
    return values
