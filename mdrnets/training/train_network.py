"""Train one network of the profile on one data set: what each rank runs, from files to files."""

import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mdrnets.config.load import Config, load_config
from mdrnets.config.options import Options
from mdrnets.dag.pipeline import Pipeline
from mdrnets.data.dataset import load_training_data
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.methods.base import Trainable
from mdrnets.methods.building import build_network, placing_options, resolved_options
from mdrnets.methods.model_files import ModelConfig, save_model_config, save_weights
from mdrnets.methods.numerics import set_profile_numerics
from mdrnets.runtime.workers import exit_when_parent_dies
from mdrnets.training.fingerprint import fingerprint, short_hash
from mdrnets.training.history import History
from mdrnets.training.launching import launch
from mdrnets.training.loop import TrainingProgress, train
from mdrnets.training.state import Checkpoints, remove_states

WORKER_EXIT_DELAY = 10.0
"""Seconds that a worker rank waits before it exits with an error. Fabric kills all ranks when one
exits; rank 0 usually has the same error and needs the time to report it."""

logger = logging.getLogger(__name__)

Note = Callable[[str, bool | int | float | str], None]
"""Takes a measurement (name, value) for the record of the execution."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A finished training.

    Attributes:
        trainable: the trained networks.
        options: that they were built with.
        history: losses by step.
        state_folder: the folder of the training's states.
    """

    trainable: Trainable
    options: Options
    history: History
    state_folder: Path


def train_network(
    config: Config,
    *,
    dataset: str,
    network: str,
    note: Note,
    report: Callable[[TrainingProgress], None],
) -> TrainedNetwork:
    """Train a network, or continue its unfinished training. Every rank calls this.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        network: a method or component of the profile.
        note: takes measurements: numerics, numbers of parameters, time and memory.
        report: called after every step.

    Raises:
        UserError: inputs are missing or damaged, or the training cannot go on; see `train`.
    """
    layout, profile = Layout(config.name), config.profile
    job = Pipeline(config).find("train", [dataset, network])
    fabric = launch(device=profile.device, devices=profile.devices, precision=profile.precision)
    for key, value in set_profile_numerics(profile).items():
        note(key, value)

    labels = config.network(network).labels
    data = load_training_data(layout, dataset, labels=labels)
    images = len(data.labelled_rows if labels else data.image_rows)
    options = resolved_options(config, network, images=images)
    trainable = build_network(config, layout, network=network, dataset=dataset, images=images)
    for name, child in trainable.named_children():
        note(f"parameters_{name}", _count_parameters(child))

    identity = fabric.broadcast(  # one rank hashes the inputs, which are large
        fingerprint(parameters=job.parameters, inputs=job.inputs, code=job.code)
        if fabric.is_global_zero
        else {}
    )
    state_folder = layout.states / dataset / f"{network}-{short_hash(identity)}"
    for other in sorted(state_folder.parent.glob(f"{network}-*")):
        if other != state_folder and fabric.is_global_zero:
            _log_unused(Checkpoints(folder=other, fingerprint=identity))

    begin = time.monotonic()
    images_seen = 0

    def count_and_report(progress: TrainingProgress) -> None:
        nonlocal images_seen
        images_seen = progress.images
        report(progress)

    try:
        with placing_options(config, network):
            history = train(
                trainable,
                data,
                seed=config.seed(network),
                log_every=profile.training.log_every,
                checkpoint_every=profile.training.checkpoint_every,
                state_folder=state_folder,
                fingerprint=identity,
                fabric=fabric,
                channels_last=profile.channels_last,
                compiled=profile.compile,
                loader_threads=profile.training.loader_threads,
                report=count_and_report,
            )
    finally:
        seconds = time.monotonic() - begin
        note("training_seconds", seconds)
        note("images_per_second", images_seen / seconds)
        if profile.device == "cuda":
            note("peak_gpu_memory_mib", torch.cuda.max_memory_allocated() / 2**20)
    return TrainedNetwork(trainable, options, history, state_folder)


def save_trained_network(
    trained: TrainedNetwork, config: Config, *, dataset: str, network: str
) -> None:
    """Write the history, the resolved configuration and the weights, then remove the states.

    The states stay if an input is newer than the clock. Snakemake then refuses the outputs and
    deletes them; the next run takes the finished training from its last state.
    """
    layout = Layout(config.name)
    write_text(layout.history(dataset, network), trained.history.to_csv())
    save_model_config(
        layout.model_config(dataset, network),
        ModelConfig(
            network=network,
            module=config.network(network).module,
            dataset=dataset,
            image_size=config.profile.image_size,
            perceptual=config.profile.perceptual,
            seed=config.seed(network),
            options=trained.options.model_dump(mode="json"),
            parameters=_count_parameters(trained.trainable),
        ),
    )
    save_weights(layout.model(dataset, network), trained.trainable)
    if not trained.state_folder.exists():  # published weights are not trained
        return
    job = Pipeline(config).find("train", [dataset, network])
    newest = max(job.inputs, key=lambda path: path.stat().st_mtime)
    if newest.stat().st_mtime > time.time():
        logger.warning(
            "%s: its time is in the future, so Snakemake will refuse the trained network; set the "
            "clock, and run again: the training is finished and kept in %s",
            newest,
            trained.state_folder,
        )
    else:
        remove_states(trained.state_folder)


def train_as_worker(profile: str | None, *, dataset: str, network: str) -> int:
    """Train as a worker rank, and return its exit code.

    Rank 0 handles the signals, writes the files and reports; the workers exit when it exits.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    exit_when_parent_dies()
    try:
        train_network(
            load_config(profile),
            dataset=dataset,
            network=network,
            note=_ignore,
            report=_ignore,
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        time.sleep(WORKER_EXIT_DELAY)
        return 1
    return 0


def _ignore(*arguments: Any) -> None:
    """Rank 0 records and reports for all ranks."""


def _log_unused(other: Checkpoints) -> None:
    """Log why an unfinished training of the same network is not continued."""
    differences = ", ".join(other.differences())
    if differences:
        logger.info(
            "%s: not used, because this unfinished training has another configuration: %s; restore "
            "that configuration to continue it, or remove %s",
            other.last,
            differences,
            other.folder,
        )
    else:
        logger.info(
            "%s: not used, because it holds no undamaged state; safe to delete", other.folder
        )


def _count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
