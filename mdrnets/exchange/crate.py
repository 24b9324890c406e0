"""A finished run as a Provenance Run Crate: who made which file, from what, with which software.

A Workflow Run RO-Crate (https://w3id.org/ro/wfrun/provenance/0.5), made from the records: the
workflow, its steps and tools, and an action for each execution. Numbers and texts are copied into
the crate; images, arrays and weights are only named, by their SHA-256, unless they are asked for.
"""

import base64
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256 as digest_of
from pathlib import Path
from typing import Any, NamedTuple

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from mdrnets.config.redaction import redact_urls
from mdrnets.dag.pipeline import Pipeline
from mdrnets.exchange.links import LICENCE, PAPER
from mdrnets.files import sha256
from mdrnets.tracking.executions import Execution
from mdrnets.tracking.record import FileHash, Record
from mdrnets.tracking.record_store import RecordStore

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
WORKFLOW = Path("Snakefile")
BESIDE = ("workflow/rules/*.smk", "params.yaml", "requirements.lock", "LICENSE", "README.md")
"""Further files needed to understand or repeat the run."""
FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".tex": "application/x-tex",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}
BINARY, TEXT = "application/octet-stream", "text/plain"
TAKEN = "used as they were, although changed after their jobs made them"
"""Said of inputs in the description of an action."""
COPIED = (".csv", ".json", ".md", ".tex")
"""Inputs and outputs that are copied: numbers and texts."""


class Agent(NamedTuple):
    """The person who ran the workflow.

    Attributes:
        name: the full name.
        url: identifies the person, such as an ORCID; None if there is none.
    """

    name: str
    url: str | None = None


def build_crate(
    pipeline: Pipeline, finished: Sequence[Execution], *, agent: Agent, with_data: bool
) -> ROCrate:
    """Describe the executions.

    Args:
        pipeline: the table of stages.
        finished: all of them, see `mdrnets.tracking.executions`.
        agent: who ran them.
        with_data: whether to copy every existing file, including images.
    """
    builder = _Builder(pipeline, agent=agent, with_data=with_data)
    builder.describe_root(finished)
    builder.add_workflow(finished)
    actions = [builder.add_action(execution) for execution in finished]
    whole = builder.add_whole(finished)
    invocations = builder.add_invocations(finished, whole)
    _link(builder.crate.root_dataset, "mentions", [*invocations, whole, *actions])
    return builder.crate


class _Builder:
    def __init__(self, pipeline: Pipeline, *, agent: Agent, with_data: bool) -> None:
        # 1.1: the version that the profiles above build upon.
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_terms["sha256"] = "https://w3id.org/ro/terms/workflow-run#sha256"
        self.pipeline = pipeline
        self.records = RecordStore(pipeline.layout.records)
        self.with_data = with_data
        self._digest = cache(sha256)
        self.agent = self._entity(agent.url or "#agent", "Person", name=agent.name)

    def describe_root(self, finished: Sequence[Execution]) -> None:
        config, root = self.pipeline.config, self.crate.root_dataset
        root["name"] = f"MDRNets, regenerated: a run of the profile {config.name}"
        root["description"] = (
            f"{config.profile.description}. The data sets have terms of their own, which the "
            "licence of this crate does not touch."
        )
        root["author"] = self.agent
        root["datePublished"] = _time(max(_end(execution.record) for execution in finished))
        root["license"] = self._entity(LICENCE, "CreativeWork", name="MIT License")
        profiles = [
            self._entity(url, "CreativeWork", name=name, version=url.rpartition("/")[2])
            for url, name in PROFILES.items()
        ]
        _link(root, "conformsTo", profiles)

    # -- what was planned --------------------------------------------------------------------

    def add_workflow(self, finished: Sequence[Execution]) -> None:
        """The Snakefile, a step for each stage, and a tool for each program."""
        last = finished[-1].record
        self.workflow = self.crate.add_workflow(
            WORKFLOW,
            WORKFLOW,
            main=True,
            lang="snakemake",
            lang_version=last.versions.get("snakemake"),
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "conformsTo": {"@id": BIOSCHEMAS},
                "encodingFormat": TEXT,
                "name": "MDRNets, regenerated",
                "version": last.git.describe(),
            },
        )
        self.workflow["isBasedOn"] = self._entity(PAPER, "ScholarlyArticle", name="MDRNets")
        beside = [path for pattern in BESIDE for path in sorted(Path().glob(pattern))]
        profile = self.pipeline.config.files
        for path in (*profile, *beside):
            format_ = FORMATS.get(path.suffix, TEXT)
            source = _without_secrets(path) if path in profile else path
            self.crate.add_file(source, path, properties={"encodingFormat": format_})
        self.crate.get("README.md")["about"] = self.crate.root_dataset

        by_program: dict[str, list[Record]] = {}
        for execution in finished:
            by_program.setdefault(execution.job.stage.program, []).append(execution.record)
        self.tools = {name: self._tool(name, records) for name, records in by_program.items()}
        _link(self.workflow, "hasPart", self.tools.values())
        steps = []
        for position, name in enumerate(dict.fromkeys(e.job.stage.name for e in finished)):
            step = self._entity(f"#step/{name}", "HowToStep", name=name, position=position)
            step["workExample"] = self.tools[self.pipeline.stages[name].program]
            steps.append(step)
        _link(self.workflow, "step", steps)

    def _tool(self, program: str, records: Sequence[Record]) -> Entity:
        """A program, and the packages that its executions had."""
        path = Path("stages", f"{program}.py")
        tool = self.crate.add_file(
            path,
            path,
            properties={
                "@type": ["File", "SoftwareSourceCode"],
                "name": f"stages.{program}",
                "version": records[-1].git.describe(),
                "encodingFormat": FORMATS[path.suffix],
            },
        )
        packages = [self._package(*item) for r in records for item in r.versions.items()]
        _link(tool, "softwareRequirements", packages)
        return tool

    def _package(self, name: str, version: str) -> Entity:
        url = f"https://pypi.org/project/{name}/{version}/"
        if name == "python":
            url = f"https://docs.python.org/release/{version}/"
        return self._entity(url, "SoftwareApplication", name=name, softwareVersion=version, url=url)

    # -- what happened -----------------------------------------------------------------------

    def add_action(self, execution: Execution) -> Entity:
        """An execution: a program made outputs from inputs and parameters."""
        record = execution.record
        gpus = ", ".join(record.machine.gpus) or "no GPU"
        action = self._action(f"#{record.execution}", "CreateAction", [record], name=record.name)
        action["description"] = f"{record.command}; on {record.machine.cpu}, {gpus}"
        if record.taken_inputs:
            action["description"] += f"; {TAKEN}: {', '.join(record.taken_inputs)}"
        action["instrument"] = self.tools[execution.job.stage.program]
        inputs = [self._file(*item) for item in record.inputs.items()]
        parameters = [self._parameter(*item) for item in record.parameters.items()]
        _link(action, "object", inputs + parameters)
        _link(action, "result", [self._file(*item) for item in record.outputs.items()])
        path = self.records.path(record.name)
        properties = {"name": f"record of {record.name}", "encodingFormat": FORMATS[path.suffix]}
        action["subjectOf"] = self.crate.add_file(path, path, properties=properties)
        return action

    def add_whole(self, finished: Sequence[Execution]) -> Entity:
        """The run as one action: from raw inputs and parameters to the report."""
        records = [execution.record for execution in finished]
        name = f"run of the profile {self.pipeline.config.name}"
        whole = self._action("#run", "CreateAction", records, name=name)
        whole["description"] = "All executions together, from raw data to the report."
        whole["instrument"] = self.workflow
        made = {path for record in records for path in record.outputs}
        inputs = [
            *(
                (path, "File", self._file(path, file_hash))
                for record in records
                for path, file_hash in record.inputs.items()
                if path not in made
            ),
            *(
                (key, "PropertyValue", self._parameter(key, value))
                for record in records
                for key, value in record.parameters.items()
            ),
        ]
        outputs = [
            (path, "File", self._file(path, file_hash))
            for execution in finished
            if execution.job.stage.group == "report"
            for path, file_hash in execution.record.outputs.items()
        ]
        for kind, slot, values in (("input", "object", inputs), ("output", "result", outputs)):
            _link(whole, slot, [example for _, _, example in values])
            self._add_parameters(kind, values)
        return whole

    def _add_parameters(self, kind: str, values: Iterable[tuple[str, str, Entity]]) -> None:
        """Add the formal inputs or outputs of the workflow, each with its value in this run."""
        types: dict[str, str] = {}
        examples: dict[str, list[Entity]] = {}
        for name, type_, example in values:
            types[name] = type_
            examples.setdefault(name, []).append(example)
        slots = []
        for name, type_ in types.items():
            slot = self.crate.add_formal_parameter(name, type_, identifier=f"#{kind}/{name}")
            _link(slot, "workExample", examples[name])
            for example in examples[name]:
                example["exampleOfWork"] = slot
            slots.append(slot)
        _link(self.workflow, kind, slots)

    def add_invocations(self, finished: Sequence[Execution], whole: Entity) -> list[Entity]:
        """Each invocation of an engine, and the executions that it started."""
        members: dict[str, list[Execution]] = {}
        for execution in finished:
            if execution.record.invocation is not None:
                members.setdefault(execution.record.invocation, []).append(execution)
        return [self._invocation(name, group, whole) for name, group in members.items()]

    def _invocation(self, name: str, members: Sequence[Execution], whole: Entity) -> Entity:
        records = [execution.record for execution in members]
        engine = records[0].engine
        action = self._action(f"#{name}", "OrganizeAction", records, name=name)
        action["description"] = f"An invocation of {engine}."
        action["instrument"] = self._package(engine, records[0].versions[engine])
        action["result"] = whole
        controls = []
        for execution in members:
            run = execution.record.execution
            text = f"start {execution.record.name}"
            control = self._entity(f"#control/{run}", "ControlAction", name=text)
            control["instrument"] = self.crate.get(f"#step/{execution.job.stage.name}")
            control["object"] = self.crate.get(f"#{run}")
            controls.append(control)
        _link(action, "object", controls)
        return action

    # -- entities ----------------------------------------------------------------------------

    def _file(self, name: str, file_hash: FileHash) -> Entity:
        """A copied file is named by its path in the crate, any other by its content."""
        path = Path(name)
        wanted = (self.with_data or path.suffix in COPIED) and path.is_file()
        copied = wanted and self._digest(path) == file_hash.sha256  # it may have been changed
        digest = base64.urlsafe_b64encode(bytes.fromhex(file_hash.sha256)).decode().rstrip("=")
        identifier = name if copied else f"ni:///sha-256;{digest}"  # RFC 6920
        file = self.crate.get(identifier)
        if file is None:
            properties = {
                "name": name,
                "sha256": file_hash.sha256,
                "contentSize": str(file_hash.bytes),
                "encodingFormat": FORMATS.get(path.suffix, BINARY),
            }
            source, target = (path, path) if copied else (identifier, None)
            file = self.crate.add_file(source, target, properties=properties)
        elif name not in (file["name"], *file.get("alternateName", [])):  # a copy of the other
            file.append_to("alternateName", name)
        return file

    def _parameter(self, key: str, value: Any) -> Entity:
        """A value of `file:key`; different executions may have read different ones."""
        text = json.dumps(value, ensure_ascii=False)
        mark = digest_of(text.encode()).hexdigest()[:12]
        plain = value if isinstance(value, str | int | float) else text
        return self._entity(f"#value/{key}/{mark}", "PropertyValue", name=key, value=plain)

    def _action(
        self, identifier: str, kind: str, records: Iterable[Record], *, name: str
    ) -> Entity:
        """An action that spans these executions."""
        records = list(records)
        action = self._entity(
            identifier,
            kind,
            name=name,
            startTime=_time(min(record.started for record in records)),
            endTime=_time(max(map(_end, records))),
        )
        action["agent"] = self.agent
        return action

    def _entity(self, identifier: str, kind: str, **properties: Any) -> Entity:
        """The entity with this identifier, which is created if it is missing."""
        entity = self.crate.get(identifier)
        if entity is None:
            entity = ContextEntity(self.crate, identifier, {"@type": kind, **properties})
            self.crate.add(entity)
        return entity


def _without_secrets(path: Path) -> io.StringIO:
    """A profile's text without user, password and query of its URLs."""
    return io.StringIO(redact_urls(path.read_text(encoding="utf-8")))


def _link(entity: Entity, key: str, others: Iterable[Entity]) -> None:
    """Refer to each of the others once: a single one without a list, none without the key."""
    unique = list({other.id: other for other in others}.values())
    if unique:
        entity[key] = unique[0] if len(unique) == 1 else unique


def _end(record: Record) -> datetime:
    return record.ended or record.started


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
