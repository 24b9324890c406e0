"""Export a trained method as one folder: weights, options, licence and a model card."""

import shutil
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.dag.pipeline import snakemake_command
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import Summary, load_summary
from mdrnets.exchange.datasets import require_dataset
from mdrnets.files import atomic_write, write_text
from mdrnets.files.markdown import format_facts, format_table
from mdrnets.layout import Layout
from mdrnets.methods.exported_folder import ExportedMethod, export_networks
from mdrnets.methods.model_files import ModelConfig, load_model_config
from mdrnets.tracking.record import Record, hashes
from mdrnets.tracking.record_store import RecordStore

LICENCE = Path("LICENSE")
CARD = "README.md"


def find_training(config: Config, network: str, dataset: str | None) -> str:
    """Check that a method is trained, and return the data set that it was trained on.

    Args:
        config: protocol and profile.
        network: a method or a variant that the profile runs.
        dataset: of the profile; None: the first one.

    Raises:
        UserError: the profile has no such method or data set, or it is not trained.
    """
    components = config.protocol.components
    methods = [name for name in config.networks if name not in components]
    if network not in methods:
        raise UserError(
            f"{config.path}: method {network} not found; choose one of: {', '.join(methods)}"
        )
    dataset = dataset or config.profile.first_dataset
    require_dataset(config, dataset)
    dataset = config.trained_on(network, dataset)
    path = Layout(config.name).model(dataset, network)
    if config.network(network).trained and not path.is_file():
        raise UserError(
            f"{path}: file not found; train the method with "
            f"`{snakemake_command(config.name, path)}`"
        )
    return dataset


def export_method(config: Config, *, network: str, dataset: str, folder: Path) -> ExportedMethod:
    """Write weights, options, licence and model card of a trained method.

    Args:
        config: protocol and profile.
        network: a method or a variant that the profile trains.
        dataset: see `find_training`.
        folder: new or empty.

    Raises:
        UserError: the folder has other files, or the method has no weights.
    """
    if not config.network(network).trained:
        raise UserError(f"{network}: nothing is trained, so there are no weights to export")
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder}: not empty; remove it, or choose another folder")
    exported = export_networks(config, network=network, dataset=dataset, folder=folder)
    with atomic_write(folder / LICENCE.name) as temporary:
        shutil.copyfile(LICENCE, temporary)
    write_text(folder / CARD, model_card(config, exported, dataset))
    return exported


def model_card(config: Config, exported: ExportedMethod, dataset: str) -> str:
    """What the exported method is, what it was trained on, and how well it completes: Markdown."""
    layout = Layout(config.name)
    saved = load_model_config(layout.model_config(dataset, exported.network))
    parts = [
        "---\nlicense: other\nlibrary_name: mdrnets\npipeline_tag: image-to-image\n---",
        f"# {exported.title}, trained on {exported.dataset}",
        _origin(config, exported, dataset),
        "\n".join(format_facts(_facts(config, exported, saved))),
        "## Use\n\nIn the environment of the project:\n\n```python\n"
        "from PIL import Image\n\nfrom mdrnets import complete, load_method\n\n"
        'method = load_method("FOLDER")\n'
        'completed = complete(method, Image.open("photo.png"), Image.open("hole.png"))\n```\n\n'
        "The hole is white. Frame the face as in the training images; the method completes "
        f"squares of {exported.image_size}×{exported.image_size} pixels.",
    ]
    scores = layout.summary(dataset, exported.network)
    if scores.is_file():
        parts.append(_scores(load_summary(scores)))
    parts.append(
        "## Limits and licence\n\n"
        f"{_limits(config, dataset)} Do not use completions as evidence of what a person looks "
        "like.\n\nThe code has the MIT licence (`LICENSE`). Weights are derived from the training "
        "data, whose terms apply:\n\n"
        + "\n".join(f"- {text}" for text in _licences(config, dataset))
    )
    return "\n\n".join(parts) + "\n"


def training_record(config: Config, network: str, dataset: str) -> Record | None:
    """The record of the training that made a network's present weights, if it is here."""
    made = hashes([Layout(config.name).model(dataset, network)])
    records = RecordStore(Layout(config.name).records).latest()
    return next((record for record in records if made.items() <= record.outputs.items()), None)


def _origin(config: Config, exported: ExportedMethod, dataset: str) -> str:
    record = training_record(config, exported.network, dataset)
    made = (
        f", on {record.started:%Y-%m-%d}, commit {record.git.commit or 'unknown'}" if record else ""
    )
    return (
        f"It fills holes in images of faces. Trained by profile `{config.name}` of a "
        f"reimplementation of arXiv 2204.02824{made}."
    )


def _facts(config: Config, exported: ExportedMethod, saved: ModelConfig) -> list[tuple[str, str]]:
    options = ", ".join(f"{key}: {value}" for key, value in saved.options.items())
    return [
        ("Size of images", f"{exported.image_size}×{exported.image_size}"),
        ("Trained parameters", f"{saved.parameters:,}"),
        ("Networks in this folder", ", ".join(exported.parts)),
        ("Seed", str(saved.seed)),
        ("Perceptual features", saved.perceptual),
        ("Options", options),
    ]


def _scores(summary: Summary) -> str:
    """Means and Fréchet distance on the test images, by bin."""
    metrics = list(next(iter(summary.bins.values())).means)
    name = next(iter(summary.bins.values())).distances.frechet_name
    rows = [
        [
            f"{bin_} %",
            *(_format(values.means[metric].value) for metric in metrics),
            _format(values.distances.frechet.value),
        ]
        for bin_, values in summary.bins.items()
    ]
    table = format_table(["hole", *metrics, name], rows, labels=1)
    return f"## Scores\n\nOn {summary.images} test images.\n\n{table}"


def _format(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _limits(config: Config, dataset: str) -> str:
    if config.profile.datasets[dataset].rendered:
        return "It was trained on computer-drawn faces, and will not complete photographs well."
    return "It completes faces like those of its training data, and is unreliable for others."


def _licences(config: Config, dataset: str) -> list[str]:
    """The licences of the sources that a training on a data set reads."""
    entry, holes = config.profile.datasets[dataset], config.profile.holes.sources.values()
    names = [entry.faces, *([entry.labels.source] if entry.labels else []), *holes]
    sources = config.profile.sources
    return [f"{name}: {sources[name].licence}" for name in dict.fromkeys(names)]
