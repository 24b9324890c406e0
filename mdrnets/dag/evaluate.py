"""Completions of the test images and their scores."""

from collections.abc import Iterator
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.network_id import NetworkId
from mdrnets.config.profile import INCEPTION
from mdrnets.config.protocol import FULL, PARAMS, External
from mdrnets.dag.data import labels_are_read
from mdrnets.dag.networks import NetworkGroup, method_groups
from mdrnets.dag.stage import DATASET, METHOD, Stage
from mdrnets.dag.train import component_files, model_files
from mdrnets.layout import Layout

COMPUTING_KEYS = ("device", "precision", "threads", "deterministic", "completion_batch")
"""What every stage that runs a network reads from the profile."""


def evaluation_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    yield Stage(
        name="features",
        group="evaluate",
        program="features",
        arguments=(DATASET,),
        matrix={"dataset": datasets},
        inputs=(layout.assignment(DATASET), layout.images(DATASET), *_weights(config, layout)),
        outputs=(layout.true_features(DATASET),),
        profile_keys=("device", "threads", "frechet"),
    )
    for name in config.profile.methods:
        if isinstance(config.protocol.methods[name], External):
            yield _collection(layout, name, datasets)
    groups = list(method_groups(config))
    for group in groups:
        yield from _completion(config, layout, group)
    # All methods are scored in the same way, external ones too.
    first = {"method": config.profile.methods, "dataset": datasets}
    yield _scoring(config, layout, "evaluate", METHOD, first)
    for group in groups:
        if {"variant", "training"} & group.matrix.keys():
            name = group.stage_name("evaluate")
            yield _scoring(config, layout, name, group.network, group.matrix)
    if inspected := inspected_method(config):
        yield from _inspections(config, layout, inspected)
    if networks := per_class_networks(config):
        yield _per_class(config, layout, networks, datasets[:1])


def per_class_networks(config: Config) -> tuple[str, ...]:
    """All trainings of the method and of the variant whose scores by class are compared."""
    per_class = config.protocol.per_class
    if per_class is None or not config.runs(per_class.baseline):
        return ()
    return tuple(t for v in (FULL, per_class.baseline) for t in config.trainings(config.variant(v)))


def _completion(config: Config, layout: Layout, group: NetworkGroup) -> Iterator[Stage]:
    network, method = group.network, group.example
    components = method.inference_uses
    inputs = (
        layout.assignment(DATASET),
        layout.images(DATASET),
        layout.holes(),
        *(model_files(layout, DATASET, network) if method.trained else ()),
        *component_files(config, layout, components),
    )
    yield Stage(
        name=group.stage_name("complete"),
        group="evaluate",
        program="complete",
        arguments=(DATASET, network),
        matrix=group.matrix,
        inputs=inputs,
        outputs=(layout.completions(DATASET, network), layout.raw_outputs(DATASET, network)),
        params_keys=("bins",),
        profile_keys=(*COMPUTING_KEYS, "compile", *(() if method.trained else ("image_size",))),
        network=network,
        components=components,
        uses_options=not method.trained,
    )
    if method.trained:
        scored = refines(config, network)
        yield Stage(
            name=group.stage_name("validate"),
            group="evaluate",
            program="validate",
            arguments=(DATASET, network),
            matrix=group.matrix,
            inputs=(*inputs, *(_weights(config, layout) if scored else ())),
            outputs=(
                layout.validation(DATASET, network),
                *([layout.refined_faces(DATASET, network)] if scored else []),
            ),
            params_keys=("bins",),
            profile_keys=(*COMPUTING_KEYS, "frechet") if scored else COMPUTING_KEYS,
            network=network,
            components=components,
        )


def refines(config: Config, network: str) -> bool:
    """Whether validation also scores how the network refines its coarse faces.

    It does for the method of the ablations and its variants, if they build on other networks.
    """
    base = NetworkId.parse(network).base
    return base == config.protocol.ablation_base and bool(config.protocol.networks[base].uses)


def _scoring(
    config: Config, layout: Layout, name: str, method: str, matrix: dict[str, tuple[str, ...]]
) -> Stage:
    return Stage(
        name=name,
        group="evaluate",
        program="evaluate",
        arguments=(DATASET, method),
        matrix=matrix,
        inputs=(
            layout.assignment(DATASET),
            layout.images(DATASET),
            layout.holes(),
            layout.completions(DATASET, method),
            layout.raw_outputs(DATASET, method),
            layout.true_features(DATASET),
            *_weights(config, layout),
        ),
        outputs=(
            layout.scores(DATASET, method),
            layout.summary(DATASET, method),
            layout.features(DATASET, method),
        ),
        params_keys=("seed", "bins", "ssim", "bootstrap", "frechet.resamples"),
        profile_keys=("device", "threads", "frechet"),
    )


def inspected_method(config: Config) -> str | None:
    """The method of the profile whose memory is inspected; None without one."""
    return next((name for name, network in config.networks.items() if network.memory), None)


def labelled_sets(config: Config) -> tuple[str, ...]:
    """Data sets whose label maps a parser learned from."""
    datasets = config.profile.datasets.items()
    return tuple(name for name, d in datasets if d.labels and labels_are_read(config, name))


def _inspections(config: Config, layout: Layout, name: str) -> Iterator[Stage]:
    components = config.network(name).inference_uses
    inputs = (
        layout.split(DATASET),
        layout.assignment(DATASET),
        layout.images(DATASET),
        layout.holes(),
        *model_files(layout, DATASET, name),
        *component_files(config, layout, components),
    )
    labels = (layout.labels(DATASET),)
    for program, datasets, more_inputs, params_keys, output in (
        ("inspect_memory", tuple(config.profile.datasets), (), ("seed",), layout.memory_use),
        ("inspect_parsing", labelled_sets(config), labels, ("bins",), layout.parsing),
    ):
        if datasets:
            yield Stage(
                name=program,
                group="evaluate",
                program=program,
                arguments=(DATASET, name),
                matrix={"dataset": datasets},
                inputs=(*inputs, *more_inputs),
                outputs=(output(DATASET, name),),
                params_keys=params_keys,
                profile_keys=COMPUTING_KEYS,
                network=name,
                components=components,
            )


def _weights(config: Config, layout: Layout) -> tuple[Path, ...]:
    """The weights of the Fréchet distance's network, unless its package includes them."""
    return (layout.weights(INCEPTION),) if config.profile.frechet == "inception-v3" else ()


def _per_class(
    config: Config, layout: Layout, networks: tuple[str, ...], datasets: tuple[str, ...]
) -> Stage:
    assert config.protocol.per_class is not None
    parser = (config.protocol.per_class.parser,)
    return Stage(
        name="per_class",
        group="evaluate",
        program="per_class",
        arguments=(DATASET,),
        matrix={"dataset": datasets},
        inputs=(
            layout.split(DATASET),
            layout.assignment(DATASET),
            layout.images(DATASET),
            layout.labels(DATASET),
            layout.holes(),
            *(layout.completions(DATASET, name) for name in networks),
            *component_files(config, layout, parser),
        ),
        outputs=(layout.per_class(DATASET),),
        params_keys=("bins", "per_class.parser", "per_class.baseline"),
        profile_keys=("device", "threads", "completion_batch"),
        components=parser,
    )


def _collection(layout: Layout, name: str, datasets: tuple[str, ...]) -> Stage:
    return Stage(
        name=f"collect_{name}",
        group="evaluate",
        program="collect",
        arguments=(DATASET, name),
        matrix={"dataset": datasets},
        inputs=(layout.assignment(DATASET), layout.images(DATASET), layout.holes()),
        outputs=(layout.completions(DATASET, name), layout.raw_outputs(DATASET, name)),
        params_keys=("bins", f"methods.{name}.completions"),
        outside_keys=((PARAMS, f"methods.{name}.completions"),),
    )
