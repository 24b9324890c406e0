"""From the raw archives to packed arrays, and the assignment of holes to images."""

from collections.abc import Iterator
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.dag.stage import DATASET, SOURCE, Stage
from mdrnets.layout import Layout

TEST_IDS = Path("mdrnets/data/celebahq_test_ids.txt")


def data_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    images = config.profile.images
    elsewhere = tuple(n for n, source in images.items() if source.path or source.url)
    embedded = tuple(n for n in images if n not in elsewhere)

    yield Stage(
        name="check",
        group="data",
        program="check",
        arguments=(),
        modules=tuple(network.module for network in config.networks.values()),
        outputs=(layout.check,),
        params_keys=("",),
        profile_keys=("",),
    )
    archive = (layout.raw(SOURCE), layout.raw_manifest(SOURCE))
    weights = (layout.weights(SOURCE), layout.weights_manifest(SOURCE))
    for stage, sources, inputs, outputs in (
        ("download", embedded, (layout.data(SOURCE),), archive),
        ("download_external", elsewhere, (), archive),
        ("download_weights", tuple(config.profile.weights), (), weights),
    ):
        if sources:
            yield Stage(
                name=stage,
                group="data",
                program="download",
                arguments=(SOURCE,),
                matrix={"source": sources},
                inputs=inputs,
                outputs=outputs,
                data_files=tuple(
                    Path(numbers)
                    for name in sources
                    if (numbers := config.profile.sources[name].numbers)
                ),
                profile_keys=(f"sources.{SOURCE}",),
                outside_keys=(
                    ((config.path, f"sources.{SOURCE}.path"),)
                    if any(config.profile.sources[name].path for name in sources)
                    else ()
                ),
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
            inputs=(
                faces,
                *([labels] if labels else []),
            ),
            outputs=(layout.split(name),),
            data_files=(TEST_IDS,) if dataset.split.rule == "celebahq" else (),
            params_keys=("seed",),
            profile_keys=(f"datasets.{name}",),
        )
        yield Stage(
            name=f"pack_images_{name}",
            group="data",
            program="pack",
            arguments=("images", name),
            inputs=(faces, layout.split(name)),
            outputs=(layout.images(name),),
            profile_keys=("image_size", f"datasets.{name}.faces"),
        )
        if labels and labels_are_read(config, name):
            yield Stage(
                name=f"pack_labels_{name}",
                group="data",
                program="pack",
                arguments=("labels", name),
                inputs=(faces, labels, layout.split(name)),
                outputs=(layout.labels(name),),
                profile_keys=("image_size", f"datasets.{name}.labels"),
            )
    training = config.profile.holes.training
    holes = tuple(map(layout.raw, config.profile.holes.sources.values()))
    yield Stage(
        name="split_holes",
        group="data",
        program="split",
        arguments=("holes",),
        inputs=holes,
        outputs=(layout.hole_split(),),
        params_keys=("seed",),
        profile_keys=("holes", *(["image_size"] if training else [])),
    )
    yield Stage(
        name="pack_holes",
        group="data",
        program="pack",
        arguments=("holes",),
        inputs=(*holes, layout.hole_split()),
        outputs=(layout.holes(),),
        profile_keys=("image_size", "holes"),
    )
    yield Stage(
        name="masks",
        group="data",
        program="masks",
        arguments=(DATASET,),
        matrix={"dataset": datasets},
        inputs=(layout.split(DATASET), layout.hole_split(), layout.holes()),
        outputs=(layout.assignment(DATASET),),
        params_keys=("seed", "bins"),
    )


def labels_are_read(config: Config, dataset: str) -> bool:
    """Whether a network is trained on the data set's label maps."""
    return any(
        network.labels and dataset in config.training_datasets(name)
        for name, network in config.trained.items()
    )
