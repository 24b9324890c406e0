"""The table of stages: the single description of the DAG, which both engines use.

`workflow/rules/*.smk` make a Snakemake rule of each `Stage`; `workflow/dvc_yaml.py` writes them to
`dvc.yaml`. The stages themselves are in `mdrnets/dag/`, a file for each of the rule files.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mdrnets.config.load import Config
from mdrnets.config.protocol import PARAMS
from mdrnets.dag.code import code_digest, python_files, text_digest
from mdrnets.dag.data import data_stages
from mdrnets.dag.derived import derived_digest
from mdrnets.dag.evaluate import evaluation_stages
from mdrnets.dag.outside import outside_state
from mdrnets.dag.report import figure_stages, page_stage, report_stages
from mdrnets.dag.stage import DATASET, Stage, Wildcards
from mdrnets.dag.train import training_stages
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.layout import Layout

RESERVED = re.compile("code|data|verify|reproduce_.*")
"""Stages and rules that are not in the table."""


@dataclass(frozen=True)
class Job:
    """One execution of a stage: all wildcards filled in.

    Attributes:
        stage: of the table.
        wildcards: of the stage's matrix.
        arguments: of the stage's program, besides the profile.
        command: for a shell, in the project's folder.
        inputs: files that it reads.
        outputs: files that it makes.
        code: files of the project that decide its result.
        parameters: resolved values of the configuration that decide its result, by `file:key` or
            `network:key`; what the report reads besides its keys by `config:derived`; the
            state of what it reads outside of the project by `outside:key`.
        gpus: how many it computes on.
    """

    stage: Stage
    wildcards: Wildcards
    arguments: tuple[str, ...]
    command: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    code: tuple[Path, ...]
    parameters: Mapping[str, Any]
    gpus: int

    @property
    def path(self) -> tuple[str, ...]:
        """Its stage and the values of its wildcards, in their order: the keys of its digest."""
        return (self.stage.name, *self.wildcards.values())

    @property
    def name(self) -> str:
        """The name in messages and plans."""
        return " ".join(self.path)

    @cached_property
    def digest(self) -> dict[str, Any]:
        """What both engines track besides its files: its code's digest and its parameters.

        Sections of the configuration become digests, because DVC reads its lock file slowly.
        """
        values = {key: _section_digest(key, value) for key, value in self.parameters.items()}
        return {"code": code_digest(self.code), **values}


class Pipeline:
    """All stages of a profile.

    Attributes:
        stages: by name, in an order in which they can run.

    Raises:
        UserError: the names of data sets, methods or tables give two stages the same name, or two
            jobs the same output.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.layout = Layout(config.name)
        stages = list(_stages(config, self.layout))
        _check_collisions(stages, config.path)
        self.stages = {stage.name: stage for stage in stages}
        self._files: dict[tuple[str, ...], tuple[Path, ...]] = {}  # by the modules that need them
        self._outside: dict[tuple[str, Path], str] = {}  # path and record → state, as first seen
        self._values = {
            PARAMS: config.protocol.model_dump(mode="json"),
            config.path: config.profile.model_dump(mode="json"),
        }

    def job(self, stage: Stage, wildcards: Wildcards) -> Job:
        """One execution; the wildcards may come in any order, as Snakemake's do."""
        return Job(
            stage=stage,
            wildcards={name: wildcards[name] for name in stage.matrix},
            arguments=_fill_arguments(stage, wildcards),
            command=self.command(stage).format(**wildcards),
            inputs=_fill(stage.inputs, wildcards),
            outputs=_fill(stage.outputs, wildcards),
            code=self._code(stage, wildcards),
            parameters=self._parameters(stage, wildcards),
            gpus=self.gpus(stage),
        )

    def command(self, stage: Stage) -> str:
        """The shell command, with wildcards."""
        program = f"python -m stages.{stage.program}"
        return " ".join([program, "--profile", self.config.name, *stage.arguments])

    def gpus(self, stage: Stage) -> int:
        """How many GPUs an execution computes on, by the keys of the profile that it reads."""
        profile = self.config.profile
        if profile.device == "cpu" or "device" not in stage.profile_keys:
            return 0
        return profile.devices if "devices" in stage.profile_keys else 1

    def find(self, program: str, arguments: Sequence[str]) -> Job:
        """The job that a program was started for.

        Raises:
            UserError: the profile has no such job; lists those that it has.
        """
        choices = []
        for stage in self.stages.values():
            if stage.program == program:
                for wildcards in stage.combinations():
                    filled = _fill_arguments(stage, wildcards)
                    if filled == tuple(arguments):
                        return self.job(stage, wildcards)
                    choices.append(" ".join(filled))
        raise UserError(
            f"{self.config.path}: no job `{' '.join([program, *arguments])}` in this profile; "
            f"expected one of: {', '.join(choices) or 'none'}"
        )

    def jobs(self) -> Iterator[Job]:
        """All executions of the profile."""
        for stage in self.stages.values():
            for wildcards in stage.combinations():
                yield self.job(stage, wildcards)

    @cached_property
    def makers(self) -> dict[Path, tuple[Stage, Wildcards]]:
        """The job that makes a file, for every file that the pipeline makes."""
        return {
            path: (stage, wildcards)
            for stage in self.stages.values()
            for wildcards in stage.combinations()
            for path in _fill(stage.outputs, wildcards)
        }

    def record_path(self, stage: Stage, wildcards: Wildcards) -> Path:
        """The file of the latest record of a job."""
        return self.layout.records / f"{record_name(stage, wildcards)}.json"

    def digests(self) -> dict[str, Any]:
        """The digest of every job: stage → values of its wildcards, in their order → digest."""
        digests: dict[str, Any] = {}
        for job in self.jobs():
            *path, last = job.path
            branch = digests
            for name in path:
                branch = branch.setdefault(name, {})
            branch[last] = job.digest
        return digests

    def write_digests(self) -> None:
        """Write `code.json`, for DVC, if it is not current."""
        text = json.dumps(self.digests(), indent=1, ensure_ascii=False) + "\n"
        path = self.layout.code
        if not path.is_file() or path.read_bytes() != text.encode():
            write_text(path, text)

    def _code(self, stage: Stage, wildcards: Wildcards) -> tuple[Path, ...]:
        networks = [name.format(**wildcards) for name in (stage.network or "", *stage.components)]
        modules = [self.config.network(name).module for name in networks if name]
        key = (f"stages.{stage.program}", *stage.modules, *modules)
        if key not in self._files:
            self._files[key] = python_files(*key)
        return tuple(sorted({*self._files[key], *stage.data_files}))

    def _parameters(self, stage: Stage, wildcards: Wildcards) -> dict[str, Any]:
        keys = [(PARAMS, key) for key in stage.params_keys]
        keys += [(self.config.path, key) for key in stage.profile_keys]
        values = {
            f"{path}:{key.format(**wildcards)}": _look_up(self._values[path], key, wildcards)
            for path, key in keys
        }
        if stage.network is not None:
            name, dataset = stage.network.format(**wildcards), wildcards.get("dataset")
            values |= self._network_values(name, dataset, uses_options=stage.uses_options)
        if stage.group == "report":
            values["config:derived"] = self._derived
        for path, key in stage.outside_keys:
            if outside := _look_up(self._values[path], key, wildcards):
                outside = outside.replace(DATASET, wildcards.get("dataset", DATASET))
                name = f"outside:{key.format(**wildcards)}"
                values[name] = self._outside_state(stage, wildcards, outside, name)
        return values

    @cached_property
    def _derived(self) -> str:
        return derived_digest(self.config)

    def _outside_state(self, stage: Stage, wildcards: Wildcards, path: str, name: str) -> str:
        """The state of a path outside of the project, when this process first asked."""
        record = self.record_path(stage, wildcards)
        if (path, record) not in self._outside:
            self._outside[path, record] = outside_state(path, record, name)
        return self._outside[path, record]

    def _network_values(
        self, name: str, dataset: str | None, *, uses_options: bool
    ) -> dict[str, Any]:
        network = self.config.network(name)
        values: dict[str, Any] = {
            "network:module": network.module,
            "network:seed": self.config.seed(name),
        }
        if dataset is not None and network.uses:
            values["network:trained_on"] = {
                name: self.config.trained_on(name, dataset) for name in network.uses
            }
        if uses_options:
            values["network:labels"] = network.labels
            values["network:options"] = self.config.options(name)
            values["network:published"] = self.config.published(name)
        return values


def record_name(stage: Stage, wildcards: Wildcards) -> str:
    """The name of the records of a job: its program and arguments, without the profile."""
    if stage.program == "render":  # its stages have names of their own
        return stage.name
    return "-".join([stage.program, *_fill_arguments(stage, wildcards)])


def snakemake_command(profile: str, *targets: Path | str) -> str:
    """The command that makes files or runs rules of a profile, for messages."""
    return f"snakemake --cores all --config profile={profile} -- {' '.join(map(str, targets))}"


def _check_collisions(stages: Sequence[Stage], where: Path) -> None:
    names: set[str] = set()
    makers: dict[str, str] = {}  # of outputs, in lower case: some file systems ignore the case
    for stage in stages:
        if stage.name in names or RESERVED.fullmatch(stage.name):
            raise UserError(
                f"{where}: found two stages of the name {stage.name}; rename the data set, method, "
                "component, table or figure from which one of them has it"
            )
        names.add(stage.name)
        for wildcards in stage.combinations():
            job = " ".join([stage.name, *wildcards.values()])
            for path in _fill(stage.outputs, wildcards):
                other = makers.setdefault(str(path).lower(), job)
                if other != job:
                    raise UserError(
                        f"{where}: both `{other}` and `{job}` would write {path}; rename the data "
                        "set, method or table from which one of them has its name"
                    )


def _stages(config: Config, layout: Layout) -> Iterator[Stage]:
    yield from data_stages(config, layout)
    yield from training_stages(config, layout)
    yield from evaluation_stages(config, layout)
    rendered = [*report_stages(config, layout), *figure_stages(config, layout)]
    yield from rendered
    yield page_stage(config, layout, rendered)


def _fill_arguments(stage: Stage, wildcards: Wildcards) -> tuple[str, ...]:
    return tuple(argument.format(**wildcards) for argument in stage.arguments)


def _fill(paths: tuple[Path, ...], wildcards: Wildcards) -> tuple[Path, ...]:
    return tuple(Path(str(path).format(**wildcards)) for path in paths)


def _section_digest(key: str, value: Any) -> Any:
    is_section = isinstance(value, Mapping) and not key.startswith("network:")
    return text_digest(json.dumps(value, ensure_ascii=False)) if is_section else value


def _look_up(values: Any, key: str, wildcards: Wildcards) -> Any:
    for part in key.format(**wildcards).split(".") if key else []:
        values = values[part] if isinstance(values, Mapping) and part in values else None
    return values
