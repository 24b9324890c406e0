"""The table of stages: the one description of the DAG, from which both engines take theirs.

`workflow/rules/*.smk` make a Snakemake rule of each `Stage`; `workflow/dvc_yaml.py` writes them to
`dvc.yaml`. Paths, parameter keys and commands may hold wildcards such as `{dataset}`, one for each
of the stage's axes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal

import yaml

from mdrnets.config import FULL, PARAMS, Config, External, Network
from mdrnets.dependencies import python_files
from mdrnets.errors import UserError
from mdrnets.layout import Layout

Group = Literal["data", "train", "evaluate", "report"]
D, S = "{dataset}", "{source}"
TEST_IDS = Path("mdrnets/data/celebahq_test_ids.txt")
PUBLISHED = Path("reports/published/table1.csv")


@dataclass(frozen=True)
class Instance:
    """One execution of a stage: all wildcards filled in."""

    name: str
    command: str
    inputs: tuple[Path, ...]
    code: tuple[Path, ...]
    outputs: tuple[Path, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Stage:
    """One command for every combination of its axes.

    Attributes:
        name: of the rule in Snakemake and of the stage in DVC.
        group: the rule file that it belongs to.
        program: module under `stages/`.
        arguments: of the program, besides the profile.
        axes: wildcard → its values; none: the stage runs once.
        inputs: files made by other stages, or raw input.
        outputs: files that it makes.
        modules: whose code, imports included, decides the outputs.
        protocol, settings: keys that it reads in `params.yaml` and in the profile; the empty key is
            the whole file.
        setup: whether the tracking database must be there; false for the stage that makes it.
    """

    name: str
    group: Group
    program: str
    arguments: tuple[str, ...]
    modules: tuple[str, ...]
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    outputs: tuple[Path, ...] = ()
    protocol: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    setup: bool = True

    @cached_property
    def code(self) -> tuple[Path, ...]:
        return python_files(*self.modules)

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every assignment of the axes."""
        for values in product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))


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

    def instance(self, stage: Stage, wildcards: Mapping[str, str]) -> Instance:
        """One execution."""
        inputs = (*stage.inputs, self.layout.setup) if stage.setup else stage.inputs
        return Instance(
            name=" ".join([stage.name, *wildcards.values()]),
            command=self.command(stage).format(**wildcards),
            inputs=_filled(inputs, wildcards),
            code=stage.code,
            outputs=_filled(stage.outputs, wildcards),
            parameters=self.parameters(stage, wildcards),
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

    def find(self, program: str, arguments: Sequence[str]) -> Instance:
        """The execution that a program was started for.

        Raises:
            UserError: the profile has no such execution.
        """
        for stage in self.stages.values():
            if stage.program == program:
                for wildcards in stage.combinations():
                    if [a.format(**wildcards) for a in stage.arguments] == list(arguments):
                        return self.instance(stage, wildcards)
        raise UserError(
            f"{self.config.path}: the profile has no stage `{' '.join([program, *arguments])}`"
        )

    def instances(self) -> Iterator[Instance]:
        """All executions of the profile."""
        for stage in self.stages.values():
            for wildcards in stage.combinations():
                yield self.instance(stage, wildcards)

    def parameters(self, stage: Stage, wildcards: Mapping[str, str]) -> dict[str, Any]:
        """The values that an execution reads, by `file:key`."""
        keys = [(PARAMS, key) for key in stage.protocol]
        keys += [(self.config.path, key) for key in stage.settings]
        return {
            f"{path}:{key.format(**wildcards)}": _looked_up(self._files[path], key, wildcards)
            for path, key in keys
        }


def _stages(config: Config, layout: Layout) -> Iterator[Stage]:
    yield from _data(config, layout)
    yield from _training(config, layout)
    yield from _evaluation(config, layout)
    yield from _reports(config, layout)
    yield from _figures(config, layout)


def _data(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    embedded = tuple(n for n, source in config.profile.sources.items() if source.path is None)
    elsewhere = tuple(n for n in config.profile.sources if n not in embedded)

    yield Stage(
        name="setup",
        group="data",
        program="setup",
        arguments=(),
        modules=(),  # it decides nothing: once there, it stays
        outputs=(layout.setup,),
        setup=False,
    )
    yield Stage(
        name="check",
        group="data",
        program="check",
        arguments=(),
        modules=("stages.check", *(network.module for network in config.networks.values())),
        outputs=(layout.check,),
        protocol=("",),
        settings=("",),
    )
    for name, sources, inputs in (
        ("download", embedded, (layout.data(S),)),
        ("download_external", elsewhere, ()),
    ):
        if sources:
            yield Stage(
                name=name,
                group="data",
                program="download",
                arguments=(S,),
                modules=("stages.download",),
                axes={"source": sources},
                inputs=inputs,
                outputs=(layout.raw(S), layout.raw_manifest(S)),
                settings=(f"sources.{S}",),
            )

    # A data set's archives have names of their own, so each has its own stage here.
    for name, dataset in config.profile.datasets.items():
        faces = layout.raw(dataset.faces)
        labels = layout.raw(dataset.labels.source) if dataset.labels else None
        yield Stage(
            name=f"split_{name}",
            group="data",
            program="split",
            arguments=(name,),
            modules=("stages.split",),
            inputs=(
                faces,
                *([labels] if labels else []),
                *([TEST_IDS] if dataset.split.rule == "celebahq" else []),
            ),
            outputs=(layout.split(name),),
            protocol=("seed",),
            settings=(f"datasets.{name}",),
        )
        yield Stage(
            name=f"pack_images_{name}",
            group="data",
            program="pack",
            arguments=("images", name),
            modules=("stages.pack",),
            inputs=(faces, layout.split(name)),
            outputs=(layout.images(name),),
            settings=("image_size", f"datasets.{name}.faces"),
        )
        if labels and _labels_are_read(config, name):
            yield Stage(
                name=f"pack_labels_{name}",
                group="data",
                program="pack",
                arguments=("labels", name),
                modules=("stages.pack",),
                inputs=(faces, labels, layout.split(name)),
                outputs=(layout.labels(name),),
                settings=("image_size", f"datasets.{name}.labels"),
            )
    holes = layout.raw(config.profile.holes.source)
    yield Stage(
        name="split_holes",
        group="data",
        program="split",
        arguments=("holes",),
        modules=("stages.split",),
        inputs=(holes,),
        outputs=(layout.hole_split(),),
        protocol=("seed",),
        settings=("holes",),
    )
    yield Stage(
        name="pack_holes",
        group="data",
        program="pack",
        arguments=("holes",),
        modules=("stages.pack",),
        inputs=(holes, layout.hole_split()),
        outputs=(layout.holes(),),
        settings=("image_size", "holes"),
    )
    yield Stage(
        name="masks",
        group="data",
        program="masks",
        arguments=(D,),
        modules=("stages.masks",),
        axes={"dataset": datasets},
        inputs=(layout.split(D), layout.hole_split(), layout.holes()),
        outputs=(layout.assignment(D),),
        protocol=("seed", "bins"),
    )


def _training(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    for name, network in config.trained.items():
        where = datasets if network.dataset is None else (datasets[network.dataset],)
        yield Stage(
            name=_stage_name("train", name),
            group="train",
            program="train",
            arguments=(D, name),
            modules=("stages.train", network.module, *_modules(config, network.uses)),
            axes={"dataset": where},
            inputs=(
                layout.split(D),
                layout.images(D),
                *([layout.labels(D)] if network.labels else []),
                layout.hole_split(),
                layout.holes(),
                *_models(config, layout, network.uses),
            ),
            outputs=(*_model(layout, D, name), layout.history(D, name)),
            protocol=("seed", *_keys(config, name)),
            settings=(
                "image_size",
                "device",
                "precision",
                "threads",
                "perceptual",
                "training.log_every",
                f"networks.{_base(name)}",
            ),
        )


def _evaluation(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    yield Stage(
        name="features",
        group="evaluate",
        program="features",
        arguments=(D,),
        modules=("stages.features",),
        axes={"dataset": datasets},
        inputs=(layout.assignment(D), layout.images(D)),
        outputs=(layout.features(D, "ground_truth"),),
        settings=("device", "threads", "frechet"),
    )
    for name in config.profile.methods:
        method = config.protocol.methods[name]
        if isinstance(method, External):
            yield _collection(layout, name, method, datasets)
        else:
            yield from _completion(config, layout, name, method, datasets)
        yield _scoring(layout, name, datasets)
    for variant in config.profile.variants:
        name = config.variant(variant)
        yield from _completion(config, layout, name, config.network(name), datasets[:1])
        yield _scoring(layout, name, datasets[:1])


def _completion(
    config: Config, layout: Layout, name: str, method: Network, datasets: tuple[str, ...]
) -> Iterator[Stage]:
    parts = method.completes_with
    inputs = (
        layout.assignment(D),
        layout.images(D),
        layout.holes(),
        *(_model(layout, D, name) if method.trained else ()),
        *_models(config, layout, parts),
    )
    settings = ("device", "precision", "threads", "completion_batch")
    yield Stage(
        name=_stage_name("complete", name),
        group="evaluate",
        program="complete",
        arguments=(D, name),
        modules=("stages.complete", method.module, *_modules(config, parts)),
        axes={"dataset": datasets},
        inputs=inputs,
        outputs=(layout.completions(D, name), layout.raw_outputs(D, name)),
        protocol=("seed", "bins", *_keys(config, name)),
        # A trained network brings its options along.
        settings=settings if method.trained else (*settings, "image_size", f"networks.{name}"),
    )
    if method.trained:
        yield Stage(
            name=_stage_name("validate", name),
            group="evaluate",
            program="validate",
            arguments=(D, name),
            modules=("stages.validate", method.module, *_modules(config, parts)),
            axes={"dataset": datasets},
            inputs=inputs,
            outputs=(layout.validation(D, name),),
            protocol=("seed", "bins", *_keys(config, name)),
            settings=settings,
        )


def _scoring(layout: Layout, name: str, datasets: tuple[str, ...]) -> Stage:
    return Stage(
        name=_stage_name("evaluate", name),
        group="evaluate",
        program="evaluate",
        arguments=(D, name),
        modules=("stages.evaluate",),
        axes={"dataset": datasets},
        inputs=(
            layout.assignment(D),
            layout.images(D),
            layout.holes(),
            layout.completions(D, name),
            layout.raw_outputs(D, name),
            layout.features(D, "ground_truth"),
        ),
        outputs=(layout.scores(D, name), layout.summary(D, name), layout.features(D, name)),
        protocol=("seed", "bins", "ssim", "bootstrap", "frechet"),
        settings=("device", "threads", "frechet"),
    )


def _reports(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    summaries = tuple(layout.summary(d, m) for d in datasets for m in config.profile.methods)
    trained = [m for m in config.profile.methods if m in config.trained]
    validations = tuple(layout.validation(d, m) for d in datasets for m in trained)
    yield Stage(
        name="table1",
        group="report",
        program="render",
        arguments=("table1",),
        modules=("stages.render",),
        inputs=(*summaries, *validations, PUBLISHED, layout.check),
        outputs=(*_table(layout, "table1"), *_table(layout, "table1_extended")),
        protocol=("seed", "bins", "methods", "ssim", "bootstrap"),
        settings=("",),
    )
    everything = (*config.profile.methods, "ground_truth")
    yield Stage(
        name="claims",
        group="report",
        program="render",
        arguments=("claims",),
        modules=("stages.render",),
        inputs=(
            *(layout.scores(d, m) for d in datasets for m in config.profile.methods),
            *(layout.features(d, m) for d in datasets for m in everything),
            PUBLISHED,
            layout.check,
        ),
        outputs=(layout.report("claims.csv"), layout.report("claims.md")),
        protocol=("seed", "bins", "parts", "methods", "bootstrap", "frechet"),
        settings=("",),
    )
    for name, ablation in config.ablations.items():
        ran = [row for row in ablation.rows if row in (FULL, *config.profile.variants)]
        rows = [config.variant(row) for row in ran]
        yield Stage(
            name=name,
            group="report",
            program="render",
            arguments=(name,),
            modules=("stages.render",),
            inputs=(
                *(layout.summary(datasets[0], row) for row in rows),
                *(layout.validation(datasets[0], row) for row in rows),
                layout.check,
            ),
            outputs=_table(layout, name),
            protocol=(
                "seed",
                "bins",
                "ssim",
                "bootstrap",
                "ablated",
                "variants",
                f"ablations.{name}",
            ),
            settings=("",),
        )


def _figures(config: Config, layout: Layout) -> Iterator[Stage]:
    """One stage a figure; variants of the ablations are in none of them."""
    datasets, methods = tuple(config.profile.datasets), config.profile.methods
    faces = (
        layout.holes(),
        *(path(d) for d in datasets for path in (layout.assignment, layout.images)),
    )
    completions = tuple(layout.completions(d, m) for d in datasets for m in methods)
    ours = tuple(layout.completions(d, shown_method(config)) for d in datasets)
    histories = tuple(
        layout.history(d, n)
        for n in shown_networks(config)
        for d in datasets
        if config.trained_on(n, d) == d
    )
    scores = tuple(layout.scores(d, m) for d in datasets for m in methods)
    ablated = ("ablated",) if config.protocol.ablated else ()
    for name, inputs, protocol in (
        ("figure1", (*faces, *ours), ("seed", "bins", "methods", *ablated)),
        ("figure5", (*faces, *completions), ("seed", "bins", "methods")),
        ("error_map", (*faces, *completions), ("bins", "methods")),
        ("metric_by_ratio", scores, ("seed", "methods", "bootstrap")),
        *([("curves", histories, ("parts", "methods"))] if histories else []),
    ):
        yield Stage(
            name=name,
            group="report",
            program="render",
            arguments=(name,),
            modules=("stages.render",),
            inputs=inputs,
            outputs=tuple(layout.report(f"{name}.{suffix}") for suffix in ("png", "pdf")),
            protocol=protocol,
            settings=("datasets", "methods"),
        )


def shown_method(config: Config) -> str:
    """The method of Figure 1: the paper's where the profile runs it, else the last."""
    methods, ours = config.profile.methods, config.protocol.ablated
    return ours if ours in methods else methods[-1]


def shown_networks(config: Config) -> list[str]:
    """Whose curves are drawn: all but the variants of the ablations."""
    return [name for name in config.trained if name == _base(name)]


def _collection(layout: Layout, name: str, method: External, datasets: tuple[str, ...]) -> Stage:
    # An archive is watched; a folder of images is not, nor what an environment variable hides.
    watched = method.completions.endswith(".zip") and "$" not in method.completions
    return Stage(
        name=f"collect_{name}",
        group="evaluate",
        program="collect",
        arguments=(D, name),
        modules=("stages.collect",),
        axes={"dataset": datasets},
        inputs=(
            layout.assignment(D),
            layout.images(D),
            layout.holes(),
            *([Path(method.completions)] if watched else []),
        ),
        outputs=(layout.completions(D, name), layout.raw_outputs(D, name)),
        protocol=("bins", f"methods.{name}.completions"),
    )


def _labels_are_read(config: Config, dataset: str) -> bool:
    return any(
        network.labels and config.trained_on(name, dataset) == dataset
        for name, network in config.trained.items()
    )


def _table(layout: Layout, name: str) -> tuple[Path, ...]:
    return tuple(layout.report(f"{name}.{suffix}") for suffix in ("csv", "md", "tex"))


def _stage_name(program: str, network: str) -> str:
    """`@` has a meaning of its own in DVC."""
    return f"{program}_{network.replace('@', '_')}"


def _base(network: str) -> str:
    """The method of `METHOD@VARIANT`."""
    return network.partition("@")[0]


def _keys(config: Config, network: str) -> tuple[str, ...]:
    """What `params.yaml` says of a network that decides its weights."""
    base, _, variant = network.partition("@")
    section = "parts" if base in config.protocol.parts else "methods"
    keys = (f"{section}.{base}.module",)
    return (*keys, f"variants.{variant}.options") if variant else keys


def _model(layout: Layout, dataset: str, network: str) -> tuple[Path, Path]:
    return layout.model(dataset, network), layout.model_config(dataset, network)


def _models(config: Config, layout: Layout, parts: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(
        path
        for part in parts
        for path in _model(layout, config.trained_on(part, "{dataset}"), part)
    )


def _modules(config: Config, parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(config.protocol.parts[part].module for part in parts)


def _filled(paths: tuple[Path, ...], wildcards: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(Path(str(path).format(**wildcards)) for path in paths)


def _looked_up(values: Any, key: str, wildcards: Mapping[str, str]) -> Any:
    for part in key.format(**wildcards).split(".") if key else []:
        values = values[part] if isinstance(values, Mapping) and part in values else None
    return values
