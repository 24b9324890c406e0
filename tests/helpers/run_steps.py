"""A training on one batch."""

import torch

from mdrnets.methods.base import Batch, Phase, Trainable


def run_steps(trainable: Trainable, phase: Phase, batch: Batch, n: int) -> list[dict[str, float]]:
    """Train `n` steps on one batch as the loop would, but without calling `phase.on_start`.

    Returns each step's weighted terms, of all its updates together.
    """
    trainable.train()
    phase.on_enter()
    history = []
    for _ in range(n):
        seen: dict[str, float] = {}
        for update in phase.train_step(batch):
            optimiser = phase.optimisers[update.optimiser]
            optimiser.zero_grad(set_to_none=True)
            loss = torch.stack(list(update.terms.values())).sum()
            assert torch.isfinite(loss), update.terms
            loss.backward()
            optimiser.step()
            seen |= {name: term.item() for name, term in update.terms.items()}
        for scheduler in phase.schedulers.values():
            scheduler.step()
        history.append(seen)
    return history
