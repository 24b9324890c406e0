"""The training loop, shared by all networks. It knows `Trainable`, and no particular method.

The random numbers of step s in phase p depend on (seed, p, s, rank) only. Therefore, on a CPU, a
training that was stopped at any point and resumed ends with the same bytes as an uninterrupted one.

Several ranks share each batch and hold the same weights: gradients and logged losses are means over
the ranks, which is the mean over the batch if a loss is a mean over images. Diagnostics are those
of rank 0, and only rank 0 writes states.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from lightning_fabric import Fabric

from mdrnets.config.marks import Chosen
from mdrnets.data.dataset import TrainingData
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, Phase, Trainable
from mdrnets.methods.compiling import compile_networks
from mdrnets.runtime.distributed import all_reduce_mean, average_statistics, broadcast
from mdrnets.runtime.seeds import derived_seed
from mdrnets.training.checks import UpdateChecks, check_weights
from mdrnets.training.history import History
from mdrnets.training.interruption import DeferredSignals
from mdrnets.training.loading import load_batches
from mdrnets.training.sampling import BatchSampler, require_even_shares
from mdrnets.training.state import Checkpoints, restore, snapshot

# 0.8 GB at 256².
START_IMAGES: Annotated[
    int, Chosen("seen by what begins from data: MDRNets' memory, ICT's palette")
] = 4096


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a training after a step.

    Attributes:
        phase: name of the phase.
        step: number of steps taken, in all phases together.
        steps: number of steps of all phases together.
        values: mean losses and diagnostics at the end of a logging interval; otherwise empty.
        images: number of images of all ranks since this process started.
        steps_per_second: speed of this process.
    """

    phase: str
    step: int
    steps: int
    values: Mapping[str, float]
    images: int
    steps_per_second: float

    @property
    def seconds_left(self) -> float:
        return (self.steps - self.step) / self.steps_per_second


def train(
    trainable: Trainable,
    data: TrainingData,
    *,
    seed: int,
    log_every: int,
    checkpoint_every: int,
    state_folder: Path,
    fingerprint: Mapping[str, Any],
    fabric: Fabric,
    channels_last: bool,
    compiled: bool = False,
    loader_threads: int,
    report: Callable[[TrainingProgress], None],
) -> History:
    """Train all phases in place, continuing from the last saved state if there is one.

    On SIGTERM or Ctrl-C, the current step is finished and the state is saved. Then rank 0 raises
    the signal again, and on the other ranks this function returns.

    Args:
        trainable: networks with their initial weights.
        data: images, label maps and holes, with the rows for training.
        seed: seed of the data order, the holes and all random numbers that the networks draw.
        log_every: steps of a phase in each row of the history.
        checkpoint_every: steps between two saved states.
        state_folder: folder of this training's states. It is kept when the training is finished;
            the caller removes it once the result is saved.
        fingerprint: everything that decides the result. A state with another one is refused.
        fabric: device, precision and rank of this process; the networks are moved to the device.
        channels_last: the memory format of images and weights.
        compiled: whether the networks are compiled, see `compile_networks`.
        loader_threads: threads that prepare batches ahead, see `load_batches`.
        report: called after every step.

    Raises:
        UserError: a loss, a gradient or a weight is not finite, the state cannot be used, or a
            batch cannot be divided evenly among the ranks.
    """
    rank, ranks = fabric.global_rank, fabric.world_size
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    fabric.to_device(trainable)
    trainable.to(memory_format=memory_format)  # type: ignore[call-overload]
    phases = list(trainable.phases())
    if compiled:
        compile_networks(trainable)
    require_even_shares(trainable, phases, ranks)

    # Continue where an earlier process stopped.
    history = History()
    checks = UpdateChecks(history)
    checkpoints = Checkpoints(folder=state_folder, fingerprint=fingerprint)
    first, taken = 0, 0
    state = fabric.broadcast(None if rank else checkpoints.load())
    if state is not None:
        first, taken = restore(state, trainable, phases, history)
        if rank == 0:
            logger.info(
                "%s: resuming after step %d of phase %s",
                checkpoints.last,
                taken,
                phases[first].name,
            )
    done = sum(phase.steps for phase in phases[:first]) + taken
    total = sum(phase.steps for phase in phases)

    begin, done_before, images = time.monotonic(), done, 0
    with DeferredSignals() as signals, ExitStack() as stack:
        for number, phase in enumerate(phases[first:], start=first):
            sampler = BatchSampler(
                data=data,
                seed=seed,
                phase=number,
                batch_size=phase.batch_size,
                labels=phase.labels,
                image_map=phase.image_map,
                device=fabric.device,
                memory_format=memory_format,
                rank=rank,
                ranks=ranks,
            )

            # Start the phase unless an earlier process has done so, then enter it.
            trainable.train()
            if phase.on_start is not None and not taken:
                torch.manual_seed(derived_seed(seed, "start", number))
                phase.on_start(_start_images(data))
            broadcast(trainable.state_dict().values())
            phase.on_enter()

            steps = range(taken + 1, phase.steps + 1)
            batches = stack.enter_context(
                closing(load_batches(sampler, steps, threads=loader_threads))
            )
            for step in steps:
                torch.manual_seed(derived_seed(seed, "step", number, step) + rank)  # all devices
                diverged = partial(_diverged, phase.name, step, checkpoints)
                try:
                    batch = next(batches)
                    take_step(trainable, phase, batch, fabric, checks, diverged)
                except torch.OutOfMemoryError as error:
                    raise UserError(
                        f"phase {phase.name}: a batch of {phase.batch_size} images does not fit "
                        f"into the GPU's memory ({error}); reduce the batch size in the profile"
                    ) from None
                except Exception:
                    checks.read_pending()  # it may be the consequence of a loss that is not finite
                    raise
                for scheduler in phase.schedulers.values():
                    scheduler.step()
                average_statistics(trainable)
                done += 1
                images += phase.batch_size

                # Log.
                values: Mapping[str, float] = {}
                if step % log_every == 0 or step == phase.steps:
                    checks.read_pending()
                    values = history.close_interval(
                        phase=phase.name, step=step, diagnostics=trainable.diagnostics()
                    )
                speed = (done - done_before) / max(time.monotonic() - begin, 1e-9)
                report(TrainingProgress(phase.name, done, total, values, images, speed))

                # Save, and stop if a signal is pending.
                stop = signals.pending_on_any_rank()
                if done == total or done % checkpoint_every == 0 or stop:
                    checks.read_pending()
                    check_weights(trainable, diverged)
                    if rank == 0:
                        now = snapshot(trainable, phases, phase=number, step=step, history=history)
                        checkpoints.save(done, now)
                if stop:
                    if rank > 0:
                        return history
                    logger.info(
                        "%s: saved; run the same command again to continue", checkpoints.last
                    )
                    signals.raise_pending()
            taken = 0
    return history


def _start_images(data: TrainingData) -> np.ndarray:
    """All training images or, of more than `START_IMAGES`, evenly spaced ones."""
    rows = data.image_rows
    if len(rows) > START_IMAGES:
        rows = rows[np.linspace(0, len(rows) - 1, START_IMAGES).round().astype(int)]
    images: np.ndarray = data.images[rows]
    return images


def _diverged(phase: str, step: int, checkpoints: Checkpoints, what: str) -> UserError:
    last = checkpoints.last
    saved = f"the last good state is {last}" if last else "no state was saved before"
    return UserError(
        f"the training diverged: step {step} of phase {phase}: {what} is not finite; "
        f"{saved}; reduce the learning rate or the weight of that loss"
    )


def take_step(
    trainable: Trainable,
    phase: Phase,
    batch: Batch,
    fabric: Fabric,
    checks: UpdateChecks,
    diverged: Callable[[str], UserError],
) -> None:
    """Apply every update that the phase yields for the batch."""
    updates = phase.train_step(batch)
    while True:
        with fabric.autocast():
            update = next(updates, None)
        if update is None:  # the code after the last `yield` has run too
            return

        terms = torch.stack([term.float() for term in update.terms.values()])
        means = terms.detach().clone()
        all_reduce_mean([means])

        optimiser = phase.optimisers[update.optimiser]
        optimiser.zero_grad(set_to_none=True)
        terms.sum().backward()
        trained = [p for group in optimiser.param_groups for p in group["params"]]
        trained = [p for p in trained if p.grad is not None]
        all_reduce_mean([p.grad for p in trained])
        checks.add(trainable, tuple(update.terms), means, trained, diverged)
        optimiser.step()
