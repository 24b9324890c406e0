"""The one training loop, of every network. It knows a `Trainable` and no method.

Step s of phase p sees random numbers that depend on (seed, p, s, rank) alone. A training that was
stopped anywhere and run again therefore ends, on a CPU, with the bytes of one that never stopped.

Several ranks share each batch and stay alike: gradients and logged losses are means over the ranks,
that is over the batch where a loss is a mean over images. Diagnostics are those of rank 0, which
alone writes states.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from mdrnets.config.marks import Chosen
from mdrnets.data.dataset import TrainingData
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, Phase, Trainable, Update
from mdrnets.runtime.distributed import all_reduce_mean, average_statistics, broadcast
from mdrnets.runtime.seeds import derived_seed
from mdrnets.training.history import History
from mdrnets.training.interruption import DeferredSignals
from mdrnets.training.sampling import BatchSampler
from mdrnets.training.state import Checkpoints, restore, snapshot

# 0.8 GB at 256².
START_IMAGES: Annotated[
    int, Chosen("seen by what begins from data: MDRNets' memory, ICT's palette")
] = 4096


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training is, after a step.

    Attributes:
        phase: name.
        step, steps: of all phases together.
        values: means of the losses and diagnostics, where a logging interval ends here; else empty.
        images: how many this process has trained on.
        steps_per_second: of this process.
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
    report: Callable[[TrainingProgress], None],
    say: Callable[[str], None],
) -> History:
    """Train all phases in place, going on from the state that an earlier process left.

    On SIGTERM or Ctrl-C the step is finished and the state saved before the signal acts: on rank 0;
    from the others this returns.

    Args:
        trainable: with its initial weights.
        data: images, label maps and holes, with the rows for training.
        seed: of data order, holes and all that the networks draw.
        log_every: steps of a phase in each row of the history.
        checkpoint_every: steps between two saved states.
        state_folder: of this training alone. It stays when the training is finished, for the
            caller to remove once the result is safe.
        fingerprint: whatever decides the result; a state of another one is refused.
        fabric: device, precision, and this process' rank; the networks are moved to the device.
        channels_last: the memory format of images and weights.
        report: called after every step.
        say: told, in a sentence, about states that are used, damaged or saved on a signal.

    Raises:
        UserError: a loss, a gradient or a weight is not finite, the state is of no use, or a batch
            cannot be shared evenly.
    """
    rank, ranks = fabric.global_rank, fabric.world_size
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    fabric.to_device(trainable)
    trainable.to(memory_format=memory_format)  # type: ignore[call-overload]
    phases = list(trainable.phases())
    for phase in phases:
        if phase.batch_size % ranks:
            raise UserError(
                f"phase {phase.name}: {ranks} devices cannot share batches of {phase.batch_size} "
                "evenly; choose a multiple in the profile, or other `devices`"
            )

    # Go on where an earlier process stopped.
    history = History()
    checkpoints = Checkpoints(folder=state_folder, fingerprint=fingerprint)
    first, taken = 0, 0
    state = fabric.broadcast(None if rank else checkpoints.load(say))
    if state is not None:
        first, taken = restore(state, trainable, phases, history)
        say(f"{checkpoints.last}: going on after step {taken} of phase {phases[first].name}")
    done = sum(phase.steps for phase in phases[:first]) + taken
    total = sum(phase.steps for phase in phases)

    begin, done_before, images = time.monotonic(), done, 0
    with DeferredSignals() as signals:
        for number, phase in enumerate(phases[first:], start=first):
            sampler = BatchSampler(
                data=data,
                seed=seed,
                phase=number,
                batch_size=phase.batch_size,
                labels=phase.labels,
                device=fabric.device,
                memory_format=memory_format,
                rank=rank,
                ranks=ranks,
            )

            # Begin the phase, unless an earlier process has; then make it the current one.
            trainable.train()
            if phase.on_start is not None and not taken:
                torch.manual_seed(derived_seed(seed, "start", number))
                phase.on_start(_images_to_start_with(data))
            broadcast(trainable.state_dict().values())
            if phase.on_enter is not None:
                phase.on_enter()

            for step in range(taken + 1, phase.steps + 1):
                torch.manual_seed(derived_seed(seed, "step", number, step) + rank)  # all devices
                place = _StepContext(phase.name, step, checkpoints)
                try:
                    batch = sampler.batch(step)
                    terms = _take_step(trainable, phase, batch, fabric, place)
                except torch.OutOfMemoryError as error:
                    raise UserError(
                        f"phase {phase.name}: a batch of {phase.batch_size} does not fit into the "
                        f"GPU's memory ({error}); lower the batch size in the profile"
                    ) from None
                for term, value in terms:
                    history.add(term, value)
                for scheduler in phase.schedulers.values():
                    scheduler.step()
                average_statistics(trainable)
                done += 1
                images += phase.batch_size

                # Log.
                values: Mapping[str, float] = {}
                if step % log_every == 0 or step == phase.steps:
                    values = history.close_interval(
                        phase=phase.name, step=step, diagnostics=trainable.diagnostics()
                    )
                speed = (done - done_before) / max(time.monotonic() - begin, 1e-9)
                report(TrainingProgress(phase.name, done, total, values, images, speed))

                # Save, and stop if a signal says so.
                stop = signals.shared(fabric.device)
                if done == total or done % checkpoint_every == 0 or stop:
                    _check_weights(trainable, place)
                    if rank == 0:
                        now = snapshot(trainable, phases, phase=number, step=step, history=history)
                        checkpoints.save(done, now)
                if stop:
                    if rank > 0:
                        return history
                    say(f"{checkpoints.last}: saved; the same command goes on from here")
                    signals.deliver()
            taken = 0
    return history


def _images_to_start_with(data: TrainingData) -> np.ndarray:
    """The training images, or as many of them, evenly spaced, as fit well into memory."""
    rows = data.image_rows
    if len(rows) > START_IMAGES:
        rows = rows[np.linspace(0, len(rows) - 1, START_IMAGES).round().astype(int)]
    images: np.ndarray = data.images[rows]
    return images


@dataclass(frozen=True)
class _StepContext:
    """Where the training is, for the sentence that says why it cannot go on."""

    phase: str
    step: int
    checkpoints: Checkpoints

    def diverged(self, what: str) -> UserError:
        last = self.checkpoints.last
        saved = f"the last good state is {last}" if last else "no state was saved before it"
        return UserError(
            f"the training has diverged: step {self.step} of phase {self.phase}: {what} is not "
            f"finite; {saved}; lower the learning rate or the weight of that loss"
        )


def _take_step(
    trainable: Trainable,
    phase: Phase,
    batch: Batch,
    fabric: Fabric,
    place: _StepContext,
) -> list[tuple[str, float]]:
    """Apply every update that the phase yields for the batch; return each term with its value."""
    seen: list[tuple[str, float]] = []
    updates = phase.train_step(batch)
    while True:
        with fabric.autocast():
            update = next(updates, None)
        if update is None:  # what stands after the last `yield` has run too
            return seen

        terms = torch.stack([term.float() for term in update.terms.values()])
        of_batch = terms.detach().clone()
        all_reduce_mean([of_batch])
        values = dict(zip(update.terms, of_batch.tolist(), strict=True))
        for term, value in values.items():
            if not math.isfinite(value):
                raise place.diverged(f"the loss term {term} ({value})")

        optimiser = phase.optimisers[update.optimiser]
        optimiser.zero_grad(set_to_none=True)
        terms.sum().backward()
        all_reduce_mean(_gradients(optimiser))
        _check_gradients(trainable, optimiser, update, place)
        optimiser.step()
        seen += values.items()


def _gradients(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    return [p.grad for p in parameters if p.grad is not None]


def _check_gradients(
    trainable: Trainable, optimiser: torch.optim.Optimizer, update: Update, place: _StepContext
) -> None:
    gradients = _gradients(optimiser)
    if not torch.nn.utils.get_total_norm(gradients, norm_type=math.inf).isfinite():
        bad = {id(gradient) for gradient in gradients if not gradient.isfinite().all()}
        name = next(name for name, p in trainable.named_parameters() if id(p.grad) in bad)
        terms = ", ".join(update.terms)
        raise place.diverged(f"the gradient of {name} (loss terms {terms})")


def _check_weights(trainable: Trainable, place: _StepContext) -> None:
    """Before a state is saved, so that every saved one is good."""
    for name, parameter in trainable.named_parameters():
        if not parameter.isfinite().all():
            raise place.diverged(f"the weight {name}")
