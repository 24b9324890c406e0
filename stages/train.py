"""Train one network on one data set, going on from where an earlier run was stopped.

Writes runs/PROFILE/models/DATASET/NETWORK.safetensors (weights), .csv (losses by step) and .json
(the resolved configuration). SIGTERM and Ctrl-C save the state first; the same command resumes.
With `devices` in the profile above 1 it starts a further process for each: they all train, and
this one alone reads the state, writes and reports.
"""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import nn

from mdrnets.config.load import Config, load_config
from mdrnets.config.options import Options
from mdrnets.dag.pipeline import Pipeline
from mdrnets.data.dataset import TrainingData, load_training_data
from mdrnets.errors import UserError
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.methods.base import Trainable
from mdrnets.methods.building import build_network, resolved_options
from mdrnets.methods.model_files import ModelConfig, save_model_config, save_weights
from mdrnets.runtime.numerics import set_numerics
from mdrnets.training.display import Display
from mdrnets.training.fingerprint import fingerprint, short_hash
from mdrnets.training.history import History
from mdrnets.training.launching import exit_when_parent_dies, launch, rank_here
from mdrnets.training.loop import Progress, train
from mdrnets.training.state import Checkpoints, discard

WORKER_EXIT_DELAY = 10.0
"""Seconds that a further process outlives its error: the first, which Fabric would kill with it,
as a rule has the same error and ends in order."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("network", help="a method of the profile, or a part that one uses")
    options = parser.parse_args(arguments)
    if rank_here() > 0:
        return _run_worker_rank(options.profile, options.dataset, options.network)
    wildcards = {"dataset": options.dataset, "network": options.network}
    return execute("train", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    """Alone: an engine that was killed may have left a process that trains on."""
    dataset, network = run.wildcards["dataset"], run.wildcards["network"]
    lock = run.layout.states / dataset / f".{network}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            _train(run, dataset, network)
    except Timeout:
        raise UserError(
            f"{lock}: another process trains {network} on {dataset} already; wait for it, or stop "
            "it (it saves its state), then run again"
        ) from None


def _run_worker_rank(profile: str | None, dataset: str, network: str) -> int:
    """Train as a further rank; the first alone heeds signals, and its end is the end of all."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    exit_when_parent_dies()
    try:
        config = load_config(profile)
        _trained(
            config,
            dataset,
            network,
            note=lambda key, value: None,
            report=lambda progress: None,
            say=lambda line: None,
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        time.sleep(WORKER_EXIT_DELAY)
        return 1
    return 0


def _train(run: StageRun, dataset: str, network: str) -> None:
    layout = run.layout
    display = Display(label=f"{network} on {dataset}", say=run.say)

    def report(progress: Progress) -> None:
        if progress.values:
            run.log_metrics(progress.step, progress.values)
        display.show(progress)

    try:
        trainable, options, history, state = _trained(
            run.config, dataset, network, note=run.note, report=report, say=run.say
        )
    finally:
        display.close()

    write_text(layout.history(dataset, network), history.to_csv())
    save_model_config(
        layout.model_config(dataset, network),
        ModelConfig(
            network=network,
            module=run.config.network(network).module,
            dataset=dataset,
            image_size=run.config.profile.image_size,
            perceptual=run.config.profile.perceptual,
            seed=run.config.seed(network),
            options=options.model_dump(mode="json"),
            parameters=_count(trainable),
        ),
    )
    save_weights(layout.model(dataset, network), trainable)
    if state.exists():  # published weights leave none
        discard(state)


def _trained(
    config: Config,
    dataset: str,
    network: str,
    *,
    note: Callable[[str, bool | int | float | str], None],
    report: Callable[[Progress], None],
    say: Callable[[str], None],
) -> tuple[Trainable, Options, History, Path]:
    """What every rank does. Returns the network, its options and history, the state's folder."""
    layout, profile = Layout(config.name), config.profile
    stage = Pipeline(config).find("train", [dataset, network])
    fabric = launch(device=profile.device, devices=profile.devices, precision=profile.precision)
    numerics = set_numerics(
        device=profile.device, precision=profile.precision, threads=profile.threads
    )
    for key, value in numerics.items():
        note(key, value)

    data = _training_data(config, layout, dataset, network)
    images = len(data.labelled_rows if config.network(network).labels else data.image_rows)
    options = resolved_options(config, network, images=images)
    trainable = build_network(config, layout, network=network, dataset=dataset, images=images)
    for name, child in trainable.named_children():
        note(f"parameters_{name}", _count(child))

    # The stamp of the set-up says that tracking is ready; it decides nothing.
    inputs = [path for path in stage.inputs if path != layout.setup]
    identity = fingerprint(parameters=stage.parameters, inputs=inputs, code=stage.code)
    state = layout.states / dataset / f"{network}-{short_hash(identity)}"
    for other in sorted(state.parent.glob(f"{network}-*")):
        if other != state:
            say(_unused(Checkpoints(folder=other, fingerprint=identity)))

    begin = time.monotonic()
    last: Progress | None = None

    def watch(progress: Progress) -> None:
        nonlocal last
        last = progress
        report(progress)

    try:
        history = train(
            trainable,
            data,
            seed=config.seed(network),
            log_every=profile.training.log_every,
            checkpoint_every=profile.training.checkpoint_every,
            state_folder=state,
            fingerprint=identity,
            fabric=fabric,
            channels_last=profile.channels_last,
            report=watch,
            say=say,
        )
    finally:
        seconds = time.monotonic() - begin
        note("training_seconds", seconds)
        note("images_per_second", last.images / seconds if last else 0)
        if profile.device == "cuda":
            note("peak_gpu_memory_mib", torch.cuda.max_memory_allocated() / 2**20)
    return trainable, options, history, state


def _unused(other: Checkpoints) -> str:
    """What to say of an unfinished training that this one does not go on with."""
    differing = ", ".join(other.differences())
    if not differing:
        return f"{other.folder}: not used, since it holds no undamaged state; remove it at will"
    return (
        f"{other.last}: not used, since this unfinished training is of another configuration: "
        f"{differing}; restore that to go on with it, or remove {other.folder}"
    )


def _training_data(config: Config, layout: Layout, dataset: str, network: str) -> TrainingData:
    wants_labels = config.network(network).labels
    return load_training_data(
        layout.images(dataset),
        layout.split(dataset),
        layout.holes(),
        layout.hole_split(),
        layout.labels(dataset) if wants_labels else None,
    )


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    sys.exit(main())
