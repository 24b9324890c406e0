"""Modules that are no code of a job: what they compute is in the job, so a change changes it.

Every function of those that compute something is changed in turn, and jobs must change. The others
report what a job does; tracked code uses a few names of them.
"""

import ast
import dataclasses
import functools
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from mdrnets.config import load, profile_files
from mdrnets.dag.code import UNTRACKED_MODULES
from mdrnets.dag.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
REPORTING = {
    "mdrnets.config.yaml_loader": {"locate"},
    "mdrnets.data.progress": {"ProgressBar", "no_progress_bar"},
    "mdrnets.errors": {"MAX_NAMED", "UserError", "list_names"},
    "mdrnets.execution.command": {"stage_command"},
    "mdrnets.execution.run": {"StageRun"},
    "mdrnets.tracking.executions": {"Execution", "changed_error", "executions"},
    "mdrnets.tracking.provenance": {"GitState", "git_state"},
    "mdrnets.tracking.record": {"Record", "hashes"},
    "mdrnets.tracking.record_store": {"RecordStore"},
    "mdrnets.training.display": {"Display"},
}
"""What tracked code uses of the modules that read files or report what a job does."""
CONSTANTS = {"FULL", "INCEPTION", "PARAMS", "PUBLISHED_TABLE1", "REFERENCE"}
"""What it uses of the others' constants: names of a row, of weights and of files."""
COMPUTING = ("mdrnets.config", "mdrnets.dag", "mdrnets.layout")
"""The other modules lie here; those in `mdrnets.dag.code`, which caches, have test_code.py."""
NO_VALUE = {
    "at validation; what it makes is what jobs have": (
        "config.data._check_address",
        "config.data.refuse_repeated",
        "config.protocol._kind_of_method",
    ),
    "checks": (
        "config.data.Holes._consistent",
        "config.data.Source._consistent",
        "config.data.Split._consistent",
        "config.data.refuse_equal_titles",
        "config.profile.Profile._consistent",
        "config.protocol.Protocol._check_network",
        "config.protocol.Protocol._consistent",
        "dag.pipeline._check_collisions",
    ),
    "the place of a download, whose content is verified": (
        "config.data.Source.downloaded_name",
        "config.data.Source.file_name",
    ),
    "for error messages": ("config.load.Config.locate", "config.profile_files.locate_key"),
    "for people, locks, or code.json, which the engines compare with jobs": (
        "dag.pipeline.Job.name",
        "dag.pipeline.Pipeline.digests",
        "dag.pipeline.Pipeline.gpus",
        "dag.pipeline.Pipeline.write_digests",
        "dag.pipeline.snakemake_command",
        "layout.Layout.code",
    ),
    "the job of a command or a file that was given": (
        "dag.pipeline.Pipeline.find",
        "dag.pipeline.Pipeline.makers",
        "dag.pipeline.Pipeline.record_path",
        "dag.pipeline._fill_arguments",
        "dag.pipeline.record_name",
    ),
    "returns nothing": ("dag.pipeline.Pipeline.__init__", "layout.Layout.__init__"),
}
"""Functions whose values reach no result but through a job, by the reason."""


@pytest.fixture
def project(configs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile `paper`, with fewer methods and with whatever a profile can have."""
    for name in ("mdrnets", "stages", "reports"):
        (configs / name).symlink_to(ROOT / name)
    (configs / "holes.zip").write_bytes(b"holes")
    (configs / "faces").mkdir()
    (configs / "faces/1.png").touch()
    params = load.load_yaml(Path("params.yaml"))
    params["methods"]["given"] = {"title": "Given", "completions": "faces/{dataset}"}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    path = Path("profiles/paper.yaml")
    profile = load.load_yaml(path)
    profile["sources"] |= {
        "celebamask_parts": {"licence": "none"},
        "ffhq_faces": {"path": "faces", "folder": ".", "licence": "none"},
        "nvidia_test_masks": {"path": "holes.zip", "folder": ".", "licence": "none"},
    }
    profile |= {"methods": ["mdrnets", "biharmonic", "given"], "seeds": 2}
    profile["variants"] = ["without_memory_and_mrem", "no_memory"]
    path.write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")
    for module in (load, profile_files):
        monkeypatch.setattr(module, "load_yaml", functools.cache(module.load_yaml))
    return configs


def test_a_changed_function_changes_jobs(project: Path) -> None:
    before = list(_jobs())
    unnoticed = set()
    for name, owner, attribute in _functions():
        with pytest.MonkeyPatch.context() as patch:
            _change_function(patch, owner, attribute)
            if not _is_noticed(before):
                unnoticed.add(name.removeprefix("mdrnets."))
    assert unnoticed == {name for names in NO_VALUE.values() for name in names}


def test_tracked_code_uses_no_other_values_of_untracked_modules() -> None:
    code = {path for name in ("smoke", "paper") for job in _all_jobs(name) for path in job.code}
    computing = set(_computing_modules())
    constants: set[str] = set()
    reporting: dict[str, set[str]] = {}
    for path in sorted(path for path in code if path.suffix == ".py"):
        for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
            if isinstance(node, ast.ImportFrom) and _covers(UNTRACKED_MODULES, str(node.module)):
                names = {alias.name for alias in node.names}
                if node.module in computing:
                    constants |= {name for name in names if name.isupper()}
                else:
                    reporting.setdefault(str(node.module), set()).update(names)
                if _covers(["mdrnets.tracking"], str(node.module)):
                    assert path.is_relative_to("mdrnets/reporting")
    assert reporting == REPORTING
    assert constants == CONSTANTS


def _all_jobs(profile: str) -> Iterator[Any]:
    return Pipeline(load.load_config(profile)).jobs()


def _jobs() -> Iterator[tuple[object, ...]]:
    """All that both engines know of each job."""
    for job in _all_jobs("paper"):
        yield job.path, job.command, job.inputs, job.outputs, job.digest


def _is_noticed(before: list[tuple[object, ...]]) -> bool:
    try:
        return any(job != known for job, known in zip(_jobs(), before, strict=True))
    except Exception:  # whatever it is, no job runs
        return True


def _covers(modules: Iterable[str], name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in modules)


def _computing_modules() -> list[str]:
    paths = sorted(path for path in ROOT.glob("mdrnets/**/[!_]*.py"))
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [
        name
        for name in modules
        if _covers(UNTRACKED_MODULES, name)
        and _covers(COMPUTING, name)
        and name not in (*REPORTING, "mdrnets.dag.code")
    ]


def _functions() -> Iterator[tuple[str, Any, str]]:
    """Each function of the modules that compute: its name, its module or class, its attribute."""
    for module in _computing_modules():
        owner = importlib.import_module(module)
        tree = ast.parse(Path(str(owner.__file__)).read_bytes())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}", owner, node.name
            elif isinstance(node, ast.ClassDef):
                for member in node.body:
                    if isinstance(member, ast.FunctionDef):
                        name = f"{module}.{node.name}.{member.name}"
                        yield name, getattr(owner, node.name), member.name


def _change_function(patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Let it return another value, in its module or class and wherever it was imported."""
    original = vars(owner)[name]
    match original:
        case property():
            changed: Any = property(_changed(original.fget))
        case functools.cached_property():
            changed = functools.cached_property(_changed(original.func))
            changed.__set_name__(owner, name)
        case classmethod() | staticmethod():
            changed = type(original)(_changed(original.__func__))
        case _:
            changed = _changed(original)
    modules = [module for key, module in sys.modules.items() if key.startswith("mdrnets.")]
    for place in (owner, *modules):
        if vars(place).get(name) is original:
            patch.setattr(place, name, changed)


def _changed(function: Callable[..., Any] | None) -> Callable[..., Any]:
    assert function is not None

    @functools.wraps(function)
    def changed(*arguments: Any, **options: Any) -> Any:
        return _change(function(*arguments, **options))

    return changed


def _change(value: Any) -> Any:
    """Another value of the same type; None stays."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case Path():
            return value.with_name(f"{value.name}x")
        case Mapping():
            return dict([*value.items()][1:])
        case tuple() | list():
            return value[:-1]
        case Iterator():
            return iter([*value][:-1])
        case BaseModel():
            fields = {name: getattr(value, name) for name in type(value).model_fields}
            return value.model_copy(update=_change_first(fields))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **_change_first(fields))
    return value


def _change_first(fields: dict[str, Any]) -> dict[str, Any]:
    """The first field that can be changed."""
    changes = {name: _change(value) for name, value in fields.items()}
    name = next(name for name, value in changes.items() if value != fields[name])
    return {name: changes[name]}
