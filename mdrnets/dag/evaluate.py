"""Completions of the test images and their scores."""

from collections.abc import Iterator
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.profile import INCEPTION
from mdrnets.config.protocol import FULL, External
from mdrnets.dag.data import labels_are_read
from mdrnets.dag.stage import D, Stage, stage_name
from mdrnets.dag.train import model_files, models_files, network_keys, part_modules
from mdrnets.layout import Layout


def evaluation_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    yield Stage(
        name="features",
        group="evaluate",
        program="features",
        arguments=(D,),
        modules=("stages.features",),
        axes={"dataset": datasets},
        inputs=(layout.assignment(D), layout.images(D), *_weights(config, layout)),
        outputs=(layout.features(D, "ground_truth"),),
        settings=("device", "threads", "frechet"),
    )
    for name in config.profile.methods:
        method = config.protocol.methods[name]
        if isinstance(method, External):
            yield _collection(layout, name, method, datasets)
            yield _scoring(config, layout, name, datasets)
        else:
            yield from _trainings(config, layout, name, datasets)
    if inspected := inspected_method(config):
        yield from _inspections(config, layout, inspected)
    for variant in config.profile.variants:
        yield from _trainings(config, layout, config.variant(variant), datasets[:1])
    if compared := per_class_networks(config):
        yield _classwise(config, layout, compared, datasets[:1])


def per_class_networks(config: Config) -> tuple[str, ...]:
    """Whose scores by class the profile compares: all trainings of the method and of a variant."""
    wanted = config.protocol.per_class
    if wanted is None or not config.runs(wanted.baseline):
        return ()
    return tuple(t for v in (FULL, wanted.baseline) for t in config.trainings(config.variant(v)))


def _trainings(
    config: Config, layout: Layout, method: str, datasets: tuple[str, ...]
) -> Iterator[Stage]:
    for name in config.trainings(method):
        yield from _completion(config, layout, name, datasets)
        yield _scoring(config, layout, name, datasets)


def _completion(
    config: Config, layout: Layout, name: str, datasets: tuple[str, ...]
) -> Iterator[Stage]:
    method = config.network(name)
    parts = method.inference_uses
    inputs = (
        layout.assignment(D),
        layout.images(D),
        layout.holes(),
        *(model_files(layout, D, name) if method.trained else ()),
        *models_files(config, layout, parts),
    )
    settings = ("device", "precision", "threads", "completion_batch")
    yield Stage(
        name=stage_name("complete", name),
        group="evaluate",
        program="complete",
        arguments=(D, name),
        modules=("stages.complete", method.module, *part_modules(config, parts)),
        axes={"dataset": datasets},
        inputs=inputs,
        outputs=(layout.completions(D, name), layout.raw_outputs(D, name)),
        protocol=("seed", "bins", *network_keys(config, name)),
        # A trained network brings its options along.
        settings=settings if method.trained else (*settings, "image_size", f"networks.{name}"),
    )
    if method.trained:
        yield Stage(
            name=stage_name("validate", name),
            group="evaluate",
            program="validate",
            arguments=(D, name),
            modules=("stages.validate", method.module, *part_modules(config, parts)),
            axes={"dataset": datasets},
            inputs=inputs,
            outputs=(layout.validation(D, name),),
            protocol=("seed", "bins", *network_keys(config, name)),
            settings=settings,
        )


def _scoring(config: Config, layout: Layout, name: str, datasets: tuple[str, ...]) -> Stage:
    return Stage(
        name=stage_name("evaluate", name),
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
            *_weights(config, layout),
        ),
        outputs=(layout.scores(D, name), layout.summary(D, name), layout.features(D, name)),
        protocol=("seed", "bins", "ssim", "bootstrap", "frechet.resamples"),
        settings=("device", "threads", "frechet"),
    )


def inspected_method(config: Config) -> str | None:
    """The method of the profile that has a memory to look into."""
    return next((name for name, network in config.networks.items() if network.memory), None)


def labelled_sets(config: Config) -> tuple[str, ...]:
    """Data sets whose label maps a parser learned from."""
    datasets = config.profile.datasets.items()
    return tuple(name for name, d in datasets if d.labels and labels_are_read(config, name))


def _inspections(config: Config, layout: Layout, name: str) -> Iterator[Stage]:
    method = config.network(name)
    inputs = (
        layout.split(D),
        layout.assignment(D),
        layout.images(D),
        layout.holes(),
        *model_files(layout, D, name),
        *models_files(config, layout, method.inference_uses),
    )
    for program, datasets, labels, protocol, output in (
        ("inspect_memory", tuple(config.profile.datasets), (), ("seed",), layout.memory_use),
        ("inspect_parsing", labelled_sets(config), (layout.labels(D),), ("bins",), layout.parsing),
    ):
        if datasets:
            yield Stage(
                name=stage_name(program, name),
                group="evaluate",
                program=program,
                arguments=(D, name),
                modules=(
                    f"stages.{program}",
                    method.module,
                    *part_modules(config, method.inference_uses),
                ),
                axes={"dataset": datasets},
                inputs=(*inputs, *labels),
                outputs=(output(D, name),),
                protocol=(*protocol, *network_keys(config, name)),
                settings=("device", "precision", "threads", "completion_batch"),
            )


def _weights(config: Config, layout: Layout) -> tuple[Path, ...]:
    """Those of the Fréchet distance's network, unless it brings them along."""
    return (layout.weights(INCEPTION),) if config.profile.frechet == "inception-v3" else ()


def _classwise(
    config: Config, layout: Layout, networks: tuple[str, ...], datasets: tuple[str, ...]
) -> Stage:
    assert config.protocol.per_class is not None
    parser = (config.protocol.per_class.parser,)
    return Stage(
        name="per_class",
        group="evaluate",
        program="per_class",
        arguments=(D,),
        modules=("stages.per_class", *part_modules(config, parser)),
        axes={"dataset": datasets},
        inputs=(
            layout.split(D),
            layout.assignment(D),
            layout.images(D),
            layout.labels(D),
            layout.holes(),
            *(layout.completions(D, name) for name in networks),
            *models_files(config, layout, parser),
        ),
        outputs=(layout.per_class(D),),
        protocol=("bins", "per_class.parser", "per_class.baseline"),
        settings=("device", "threads", "completion_batch"),
    )


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
