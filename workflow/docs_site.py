"""Hooks of MkDocs: generated pages, the report of a finished run, and links to other files.

`mkdocs build` (see mkdocs.yml) calls them. Nothing else uses this file.
"""

import inspect
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mdrnets.assumptions.collect import marked_defaults
from mdrnets.config.load import load_config
from mdrnets.config.options import Options
from mdrnets.config.profile import Profile
from mdrnets.config.protocol import Protocol
from mdrnets.dag.pipeline import Pipeline
from mdrnets.files.markdown import format_table
from mdrnets.layout import REFERENCE
from mdrnets.methods.building import network_module
from mdrnets.reporting.captions import caption
from workflow.stage_map import PROFILE, draw_map, stages_page

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

EXAMPLE = Path("reports/demo")
"""The report that the site shows, where the run is finished. Its faces are computer-drawn."""
EXAMPLE_PAGE = "demo_report/index.html"
MAP = "stages.svg"
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")
"""A link from docs/ to a file of the project, which is not part of the site."""


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    """Add the generated pages."""
    from mkdocs.structure.files import File

    pages = {
        "parameters.md": parameters_page(),
        "outputs.md": outputs_page(),
        "example.md": example_page(),
        "stages.md": stages_page(MAP),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    files.append(File.generated(config, MAP, content=draw_map()))
    if (page := EXAMPLE / "index.html").is_file():
        files.append(File.generated(config, EXAMPLE_PAGE, abs_src_path=str(page.resolve())))
    return files


def on_post_build(*, config: "MkDocsConfig") -> None:
    """Add the files that the report links to."""
    if (EXAMPLE / "index.html").is_file():
        target = (Path(config.site_dir) / EXAMPLE_PAGE).parent
        shutil.copytree(EXAMPLE, target, dirs_exist_ok=True)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace links to files of the project by their names."""
    return OUTSIDE.sub(r"\1", markdown)


def parameters_page() -> str:
    """Every key of params.yaml and of a profile, and every option of every network."""
    parts = ["# Parameters", "Generated from the models that read the configuration."]
    for title, model in (("params.yaml", Protocol), ("profiles/NAME.yaml", Profile)):
        parts.append(f"## {title}")
        if model is Profile:
            parts.append(
                "A profile may begin with `extends: NAME`. It then has all keys of that profile "
                "that it does not give itself; `networks` are merged option by option."
            )
        for number, each in enumerate(_models(model)):
            parts += [f"### {each.__name__}"] if number else []
            parts.append(_describe_keys(each))
    config = load_config(PROFILE)
    networks = {**config.protocol.components, **config.protocol.networks}
    parts.append("## Options of networks\n\nUnder `networks.NAME` of a profile.")
    for name, network in networks.items():
        options = network_module(network, name).Options
        rows = [
            [
                f"`{key}`",
                f"`{value}`",
                *((type(mark).__name__.lower(), mark.source) if mark else ("", "")),
            ]
            for key, value, mark, _ in marked_defaults(options)
        ]
        table = format_table(["option", "default", "from", "source"], _escape(rows))
        parts.append(f"### {name}: {network.title}\n\n{table if rows else 'It has no options.'}")
    return "\n\n".join(parts) + "\n"


def outputs_page() -> str:
    """Every file of a run, by the stage that makes it."""
    pipeline = Pipeline(load_config(PROFILE))
    rows = []
    for stage in pipeline.stages.values():
        for path in stage.outputs:
            about = ""
            if stage.group == "report":
                known = caption(path.stem, pipeline.config) if path.suffix != ".json" else None
                about = f"{known.title}. {known.text}" if known else ""
            rows.append([f"`{path}`", f"`{stage.name}`", about])
    table = format_table(["file", "stage", "content"], _escape(rows))
    return (
        f"# Outputs\n\nThe files of profile `{PROFILE}`. Words in braces are the names of data "
        f"sets and networks. `mdrnets/layout.py` says what each file contains.\n\n{table}\n"
    )


def example_page() -> str:
    """The report of the profile `demo`, or how to make it; then Table 1 of its reference run."""
    profile = EXAMPLE.name
    report = (
        f"[Open the report]({EXAMPLE_PAGE}): one page with verdict, tables, figures, assumptions "
        "and the record of every execution."
        if (EXAMPLE / "index.html").is_file()
        else "This site was built where the profile has not run, so its report is missing here; "
        f"`snakemake --cores all --config profile={profile} -- reproduce_all` makes it."
    )
    table = (REFERENCE / profile / "table1.md").read_text(encoding="utf-8")
    _, _, table = table.partition("\n")  # without its heading
    return (
        f"# Example: the report of the profile `{profile}`\n\n{report}\n\n"
        "The faces are computer-drawn, and every method was trained for minutes. The report shows "
        "what a run gives you, not how good the methods are.\n\n"
        "![Faces with holes, completed by each of the methods, and the originals]"
        f"(demo_figure5.png)\n\n## Its reference run\n{table}"
    )


def _models(model: type[Options]) -> list[type[Options]]:
    """A model and all that its keys contain, each once."""
    models = [model]
    for each in models:  # the list grows meanwhile
        for field in each.model_fields.values():
            models += [new for new in _contained(field.annotation) if new not in models]
    return models


def _contained(annotation: Any) -> list[type[Options]]:
    if inspect.isclass(annotation) and issubclass(annotation, Options):
        return [annotation]
    return [model for part in get_args(annotation) for model in _contained(part)]


def _describe_keys(model: type[Options]) -> str:
    about = _attributes(model)
    schema = model.model_json_schema()["properties"]
    rows = []
    for name, field in model.model_fields.items():
        value = field.get_default(call_default_factory=True)
        default = "required" if field.is_required() else f"`{value}`"
        rows.append([f"`{name}`", _kind(schema[name]), default, about.get(name, "")])
    return format_table(["key", "values", "default", "meaning"], _escape(rows))


def _kind(schema: dict[str, Any]) -> str:
    """The accepted values of a key, from its JSON schema."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_kind, schema["anyOf"])))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", "")) or str(schema.get("$ref", "any")).rpartition("/")[2]
    return "none" if kind == "null" else kind


def _attributes(model: type[Options]) -> dict[str, str]:
    """The section `Attributes` of a docstring, by name."""
    _, _, section = (inspect.getdoc(model) or "").partition("Attributes:\n")
    about = {}
    for entry in re.split(r"\n(?=    \S)", section):
        names, colon, text = entry.strip().partition(": ")
        if colon:
            about |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return about


def _escape(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
