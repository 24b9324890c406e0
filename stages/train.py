"""Train one network on one data set, going on from where an earlier run was stopped.

Writes runs/PROFILE/models/DATASET/NETWORK.safetensors (weights), .csv (losses by step) and .json
(the resolved configuration). SIGTERM and Ctrl-C save the state first; the same command resumes.
"""

import shutil
import sys
import time
from collections.abc import Sequence

import torch
from filelock import FileLock, Timeout
from torch import nn

from mdrnets.data.dataset import TrainingData, load_training_data
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.pipeline import Pipeline
from mdrnets.training.building import build_network, resolved_options
from mdrnets.training.display import Display
from mdrnets.training.fingerprint import fingerprint, short_hash
from mdrnets.training.loop import Progress, train
from mdrnets.training.model_files import ModelConfig, save_model_config, save_weights
from mdrnets.training.numerics import set_numerics
from stages.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("network", help="a method of the profile, or a part that one uses")
    options = parser.parse_args(arguments)
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


def _train(run: StageRun, dataset: str, network: str) -> None:
    layout, protocol, profile = run.layout, run.config.protocol, run.config.profile
    stage = Pipeline(run.config).find("train", [dataset, network])
    numerics = set_numerics(
        device=profile.device, precision=profile.precision, threads=profile.threads
    )
    for key, value in numerics.items():
        run.note(key, value)

    data = _training_data(run, dataset, network)
    trainable = build_network(run.config, layout, network=network, dataset=dataset)
    for name, child in trainable.named_children():
        run.note(f"parameters_{name}", _count(child))

    # The stamp of the set-up says that tracking is ready; it decides nothing.
    inputs = [path for path in stage.inputs if path != layout.setup]
    identity = fingerprint(parameters=stage.parameters, inputs=inputs, code=stage.code)
    state = layout.states / dataset / f"{network}-{short_hash(identity)}"
    for other in sorted(state.parent.glob(f"{network}-*")):
        if other != state:
            run.say(f"{other}: an unfinished training of another configuration; remove it at will")

    display = Display(label=f"{network} on {dataset}", say=run.say)
    last: Progress | None = None

    def report(progress: Progress) -> None:
        nonlocal last
        last = progress
        if progress.values:
            run.log_metrics(progress.step, progress.values)
        display.show(progress)

    begin = time.monotonic()
    try:
        history = train(
            trainable,
            data,
            seed=protocol.seed,
            log_every=profile.training.log_every,
            checkpoint_every=profile.training.checkpoint_every,
            state_folder=state,
            fingerprint=identity,
            device=torch.device(profile.device),
            precision=profile.precision,
            report=report,
            say=run.say,
        )
    finally:
        display.close()
        seconds = time.monotonic() - begin
        run.note("training_seconds", seconds)
        run.note("images_per_second", last.images / seconds if last else 0)
        if profile.device == "cuda":
            run.note("peak_gpu_memory_mib", torch.cuda.max_memory_allocated() / 2**20)

    write_text(layout.history(dataset, network), history.to_csv())
    save_model_config(
        layout.model_config(dataset, network),
        ModelConfig(
            network=network,
            module=run.config.network(network).module,
            dataset=dataset,
            image_size=profile.image_size,
            perceptual=profile.perceptual,
            seed=protocol.seed,
            options=resolved_options(run.config, network).model_dump(mode="json"),
            parameters=_count(trainable),
        ),
    )
    save_weights(layout.model(dataset, network), trainable)
    if state.exists():  # published weights leave none
        shutil.rmtree(state)


def _training_data(run: StageRun, dataset: str, network: str) -> TrainingData:
    wants_labels = run.config.network(network).labels
    return load_training_data(
        run.layout.images(dataset),
        run.layout.split(dataset),
        run.layout.holes(),
        run.layout.hole_split(),
        run.layout.labels(dataset) if wants_labels else None,
    )


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    sys.exit(main())
