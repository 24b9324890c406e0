"""Tables, claims and figures."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.network_id import NetworkId
from mdrnets.dag.evaluate import (
    inspected_method,
    labelled_sets,
    per_class_networks,
    refines,
)
from mdrnets.dag.stage import Stage
from mdrnets.layout import PUBLISHED_TABLE1, Layout

TEMPLATES = Path("mdrnets/reporting/page/templates")
SHOWN_SUFFIXES = (".png", ".csv", ".json")
"""The page shows files with these suffixes, and links to the others."""
ABLATION_KEYS = ("ablation_base", "variants", "ablations", "per_class")
"""Keys of `params.yaml`, of which a protocol without ablations has none."""


def report_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    methods = [t for m in config.profile.methods for t in config.trainings(m)]
    variants = [t for v in config.profile.variants for t in config.trainings(config.variant(v))]
    summaries = tuple(layout.summary(d, m) for d in datasets for m in methods)
    trained = [m for m in methods if m in config.trained]
    validations = tuple(layout.validation(d, m) for d in datasets for m in trained)
    yield _render_stage(
        config,
        "table1",
        inputs=(*summaries, *validations, layout.check),
        outputs=(
            *_table(layout, "table1"),
            *_table(layout, "table1_extended"),
            layout.metrics,
        ),
        data_files=(PUBLISHED_TABLE1,),
        params_keys=("seed", "bins", "methods", "ssim", "bootstrap"),
    )
    yield _render_stage(
        config,
        "claims",
        inputs=(
            *(layout.scores(d, m) for d in datasets for m in methods),
            *(layout.features(d, m) for d in datasets for m in methods),
            *map(layout.true_features, datasets),
            *(path(datasets[0], v) for path in (layout.scores, layout.features) for v in variants),
            *([layout.per_class(datasets[0])] if per_class_networks(config) else []),
            *map(layout.split, datasets),  # how many images an epoch has
            layout.check,
        ),
        outputs=(layout.report("claims.csv"), layout.report("claims.md")),
        data_files=(PUBLISHED_TABLE1,),
        params_keys=(
            *("seed", "bins", "components", "methods", "bootstrap", "frechet", "paper_scale"),
            *(key for key in ABLATION_KEYS if getattr(config.protocol, key)),
        ),
    )
    if refined := refined_networks(config):
        full, varied = refined
        yield _render_stage(
            config,
            "refinement",
            inputs=(
                *(layout.refined_faces(d, name) for d in datasets for name in full),
                *(layout.refined_faces(datasets[0], name) for name in varied),
            ),
            outputs=(layout.report("refinement.csv"), layout.report("refinement.md")),
            params_keys=("seed", "bins", "bootstrap", "frechet.resamples", *ABLATION_KEYS[:3]),
        )
    for name, ablation in config.ablations.items():
        ran = [config.variant(row) for row in ablation.rows if config.runs(row)]
        rows = [training for row in ran for training in config.trainings(row)]
        yield _render_stage(
            config,
            name,
            inputs=(
                *(layout.summary(datasets[0], row) for row in rows),
                *(layout.validation(datasets[0], row) for row in rows),
                layout.check,
            ),
            outputs=_table(layout, name),
            params_keys=(
                "seed",
                "bins",
                "ssim",
                "bootstrap",
                "ablation_base",
                "variants",
                f"ablations.{name}",
            ),
        )


def refined_networks(config: Config) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The trainings of the method of the ablations, and of its variants, on validation images.

    None: the profile does not run the method, or the method refines nothing.
    """
    method = config.protocol.ablation_base
    if method not in config.profile.methods or not refines(config, str(method)):
        return None
    variants = (config.variant(variant) for variant in config.profile.variants)
    rows = tuple(training for variant in variants for training in config.trainings(variant))
    return config.trainings(str(method)), rows


def figure_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    """One stage for each figure. Only the figures of ablations show their variants."""
    datasets, methods = tuple(config.profile.datasets), config.profile.methods
    faces = _faces(layout, datasets)
    completions = tuple(layout.completions(d, m) for d in datasets for m in methods)
    ours = tuple(layout.completions(d, choose_figure1_method(config)) for d in datasets)
    histories = tuple(
        layout.history(d, n)
        for n in list_curve_networks(config)
        for d in config.training_datasets(n)
    )
    scores = tuple(layout.scores(d, m) for d in datasets for m in methods)
    ablation_base = ("ablation_base",) if config.protocol.ablation_base else ()
    for name, inputs, params_keys in (
        ("figure1", (*faces, *ours), ("seed", "bins", "methods", *ablation_base)),
        ("figure5", (*faces, *completions), ("seed", "bins", "methods")),
        ("error_map", (*faces, *completions), ("bins", "methods")),
        ("metric_by_ratio", scores, ("seed", "methods", "bootstrap")),
        *([("curves", histories, ("components", "methods"))] if histories else []),
    ):
        tables = ("curves", "trends") if name == "curves" else ()
        yield _figure(config, layout, name, inputs, params_keys, tables=tables)
    yield _render_stage(
        config,
        "comparisons",
        inputs=(*faces, *completions),
        outputs=(layout.report("comparisons.json"),),
        params_keys=("seed", "bins", "methods"),
        profile_keys=("datasets", "methods"),
    )
    for name, figure in config.figures.items():
        shown = [config.variant(column) for column in figure.columns if config.runs(column)]
        yield _figure(
            config,
            layout,
            name,
            (
                *_faces(layout, datasets[:1]),
                *(layout.completions(datasets[0], variant) for variant in shown),
            ),
            ("seed", "bins", "methods", "ablation_base", "variants", f"figures.{name}"),
            ("variants",),
        )
    if inspected := inspected_method(config):
        uses = tuple(layout.memory_use(d, inspected) for d in datasets)
        memory_histories = tuple(layout.history(d, inspected) for d in datasets)
        images = tuple(layout.images(d) for d in datasets)
        yield _figure(config, layout, "memory_use", (*uses, *memory_histories), ("methods",))
        yield _figure(config, layout, "memory_slots", (*uses, *images), ("methods",))
        if labelled := labelled_sets(config):
            parsing = tuple(layout.parsing(d, inspected) for d in labelled)
            name = "parser_quality"
            yield _figure(config, layout, name, parsing, ("methods",), tables=(name,))


def _figure(
    config: Config,
    layout: Layout,
    name: str,
    inputs: tuple[Path, ...],
    params_keys: tuple[str, ...],
    profile_keys: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
) -> Stage:
    """The stage of a figure, which may write `tables` too; `profile_keys` are read additionally."""
    return _render_stage(
        config,
        name,
        inputs=inputs,
        outputs=(
            *(layout.report(f"{name}.{suffix}") for suffix in ("png", "pdf")),
            *(layout.report(f"{table}.csv") for table in tables),
        ),
        params_keys=params_keys,
        profile_keys=("datasets", "methods", *profile_keys),
    )


def page_stage(config: Config, layout: Layout, rendered: Sequence[Stage]) -> Stage:
    """The page that shows what all other stages of the report made.

    Unlike other outputs it names runs and times, so its bytes differ from run to run; no stage
    reads it. What it shows of times and costs comes from the records of this machine, which are no
    inputs either.
    """
    shown = [path for stage in rendered for path in stage.outputs if path.suffix in SHOWN_SUFFIXES]
    return _render_stage(
        config,
        "report",
        inputs=(
            *(path for path in shown if path != layout.metrics),
            *map(layout.split, config.profile.datasets),
        ),
        outputs=(layout.report("index.html"),),
        data_files=tuple(sorted(TEMPLATES.glob("*"))),
        params_keys=("",),
    )


def _render_stage(
    config: Config,
    name: str,
    *,
    inputs: tuple[Path, ...],
    outputs: tuple[Path, ...],
    params_keys: tuple[str, ...],
    profile_keys: tuple[str, ...] = ("",),
    data_files: tuple[Path, ...] = (),
) -> Stage:
    """The stage that runs `stages.render NAME`."""
    return Stage(
        name=name,
        group="report",
        program="render",
        arguments=(name,),
        modules=(renderer(config, name),),
        inputs=inputs,
        outputs=outputs,
        data_files=data_files,
        params_keys=params_keys,
        profile_keys=profile_keys,
    )


def renderer(config: Config, name: str) -> str:
    """The module whose `render(config, layout, name)` makes a table, a figure or a page."""
    reporting = "mdrnets.reporting"
    if name in config.ablations:
        return f"{reporting}.tables.ablation"
    if name in config.figures:
        return f"{reporting}.figures.ablation_figure"
    folder = {
        "table1": "tables",
        "claims": "claims",
        "refinement": "claims",
        "comparisons": "page",
        "report": "page",
    }.get(name, "figures")
    return f"{reporting}.{folder}.{name}"


def choose_figure1_method(config: Config) -> str:
    """The method of Figure 1: the paper's if the profile runs it, otherwise the last one."""
    methods, ours = config.profile.methods, config.protocol.ablation_base
    return ours if ours in methods else methods[-1]


def list_curve_networks(config: Config) -> list[str]:
    """The networks whose curves are drawn: all but variants and further trainings."""
    return [name for name in config.trained if NetworkId.parse(name).is_plain]


def _faces(layout: Layout, datasets: Sequence[str]) -> tuple[Path, ...]:
    """The test images with their holes."""
    return (
        layout.holes(),
        *(path(d) for d in datasets for path in (layout.assignment, layout.images)),
    )


def _table(layout: Layout, name: str) -> tuple[Path, ...]:
    return tuple(layout.report(f"{name}.{suffix}") for suffix in ("csv", "md", "tex"))
