"""Whether a training stays finite: its losses, gradients and weights.

Reading a number from a GPU waits until everything submitted before is done. Therefore the numbers
of an update are copied without waiting, and read once the next update has been submitted, so that
the GPU always has work.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.methods.base import Trainable
from mdrnets.training.history import History

Diverged = Callable[[str], UserError]
"""Makes the error of a step from the name of what is not finite."""


@dataclass(frozen=True)
class _Update:
    """An update that was submitted and not checked yet.

    Attributes:
        terms: names of its loss terms.
        numbers: their values and the largest gradient, on the CPU once `copied`.
        copied: the end of the copy, on a GPU.
        largest: largest absolute value of each parameter's gradient, on the device.
        trainable: its networks.
        trained: the parameters.
        diverged: makes the error.
    """

    terms: tuple[str, ...]
    numbers: Tensor
    copied: torch.cuda.Event | None
    largest: Tensor
    trainable: Trainable
    trained: Sequence[Tensor]
    diverged: Diverged

    def read(self, history: History) -> None:
        if self.copied is not None:
            self.copied.synchronize()
        *values, largest = self.numbers.tolist()
        for term, value in zip(self.terms, values, strict=True):
            if not math.isfinite(value):
                raise self.diverged(f"the loss term {term} ({value})")
            history.add(term, value)
        if not math.isfinite(largest):
            finite = self.largest.isfinite().tolist()
            parameter = self.trained[finite.index(False)]
            name = next(n for n, p in self.trainable.named_parameters() if p is parameter)
            raise self.diverged(f"the gradient of {name} (loss terms {', '.join(self.terms)})")


class UpdateChecks:
    """Checks each update while the device works on the next one."""

    def __init__(self, history: History) -> None:
        """Args: history: takes the values of the loss terms."""
        self._history = history
        self._pending: _Update | None = None

    def add(
        self,
        trainable: Trainable,
        terms: tuple[str, ...],
        means: Tensor,
        trained: Sequence[Tensor],
        diverged: Diverged,
    ) -> None:
        """Add an update, and check the previous one.

        Args:
            trainable: the networks.
            terms: names of the loss terms.
            means: their values, on the device.
            trained: parameters, each with a gradient.
            diverged: makes the error of this step.

        Raises:
            UserError: the previous update has a loss or a gradient that is not finite.
        """
        gradients = [p.grad for p in trained if p.grad is not None]
        largest = torch.stack(torch._foreach_norm(gradients, math.inf)).float()
        numbers = torch.cat([means, largest.max().unsqueeze(0)]).to("cpu", non_blocking=True)
        copied = None
        if means.is_cuda:
            copied = torch.cuda.Event()
            copied.record()
        update = _Update(terms, numbers, copied, largest, trainable, trained, diverged)
        self.read_pending()
        self._pending = update

    def read_pending(self) -> None:
        """Check the last update too; waits for the device.

        Raises:
            UserError: a loss or a gradient is not finite.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.read(self._history)


def check_weights(trainable: Trainable, diverged: Diverged) -> None:
    """Raise UserError if a weight is not finite. Called before a state is saved."""
    for name, parameter in trainable.named_parameters():
        if not parameter.isfinite().all():
            raise diverged(f"the weight {name}")
