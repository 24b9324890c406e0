"""Trainings on two CPU processes, for `test_two_ranks`; each process writes what it ends with.

`python -m tests.helpers.two_ranks FOLDER`: Fabric starts the second with the same command line.
"""

import argparse
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.methods.base import Trainable
from mdrnets.networks.vector_quantiser import VectorQuantiser
from mdrnets.runtime.distributed import all_reduce_max, all_reduce_mean, all_reduce_sum, broadcast
from mdrnets.runtime.workers import exit_when_parent_dies, local_rank
from mdrnets.training.launching import launch
from mdrnets.training.loop import TrainingProgress
from tests.helpers.tiny import TRAINED
from tests.helpers.tiny_networks import tiny_network, train_tiny
from tests.helpers.toy import FIRST, new_toy, train_toy

STOP = FIRST + 2  # in the second phase, between two saved states


class Stopped(BaseException):
    """As if the process had died here, or heeded SIGTERM."""


def network_of_four(name: str) -> Trainable:
    """A tiny network whose batches, of all ranks together, have four images."""
    options = {"steps": 3, "batch_size": 4}
    return tiny_network(name, **options | ({"prior_batch_size": 4} if name == "ict" else {}))


def watched_gradients(trainable: Trainable) -> dict[str, Tensor]:
    """Filled, while it is trained, with the gradients of each parameter's first update."""
    names = {id(parameter): name for name, parameter in trainable.named_parameters()}
    seen: dict[str, Tensor] = {}
    phases = list(trainable.phases())
    trainable.phases = lambda: phases  # type: ignore[method-assign]

    def watch(optimiser: torch.optim.Optimizer, *_: object) -> None:
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    seen.setdefault(names[id(parameter)], parameter.grad.clone())

    for phase in phases:
        for optimiser in phase.optimisers.values():
            optimiser.register_step_pre_hook(watch)
    return seen


def vectors_of_four() -> Tensor:
    """A batch for a quantiser, 4×2×3×3."""
    return torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(2))


def quantiser_after(vectors: Tensor) -> dict[str, Tensor]:
    """The state of a quantiser that has seen the vectors in training."""
    torch.manual_seed(1)
    quantiser = VectorQuantiser(codes=4, channels=2, decay=0.5)
    quantiser.count_update()  # the first batch would draw the codes
    quantiser.train()(vectors)
    return quantiser.state_dict()


@dataclass(frozen=True)
class Scenarios:
    """What both processes run, one after the other."""

    folder: Path
    fabric: Fabric

    def run(self) -> None:
        self._collectives()
        share = vectors_of_four().chunk(2)[self.fabric.global_rank]
        self._save("quantiser", quantiser_after(share))
        self._toy_whole()
        self._toy_stopped()
        self._toy_told()
        self._uneven()
        self.train_all()

    def train_all(self) -> None:
        for name in TRAINED:
            trainable = network_of_four(name)
            gradients = watched_gradients(trainable)
            train_tiny(trainable, self.folder / "states" / name, self.fabric)
            self._save(name, trainable.state_dict())
            self._save(f"{name}_gradients", gradients)

    def _collectives(self) -> None:
        rank = self.fabric.global_rank
        plain = torch.arange(3) + 10 * rank
        crossed = (torch.arange(6.0).view(2, 3) + rank).T  # not contiguous
        mean, first, number = crossed.clone(), crossed.clone(), torch.tensor(rank + 7)
        all_reduce_sum([plain])
        all_reduce_sum([crossed])
        all_reduce_mean([mean])
        broadcast([first, number])
        broadcast([torch.zeros(0)])
        biggest = torch.tensor(all_reduce_max(5 * rank))
        self._save(
            "collectives",
            {"plain": plain, "crossed": crossed, "mean": mean, "first": first, "number": number}
            | {"biggest": biggest},
        )

    def _toy_whole(self) -> None:
        toy, history = train_toy(self.folder / "states" / "toy", fabric=self.fabric, log_every=1)
        self._save("toy", toy.state_dict())
        (self._own() / "history.csv").write_text(history.to_csv())

    def _toy_stopped(self) -> None:
        """Stopped after a step that was not saved, then gone on."""

        def stop(progress: TrainingProgress) -> None:
            if progress.step == STOP:
                raise Stopped

        state = self.folder / "states" / "stopped"
        try:
            train_toy(state, fabric=self.fabric, report=stop, checkpoint_every=3)
        except Stopped:
            toy, _ = train_toy(state, fabric=self.fabric, checkpoint_every=3)
            self._save("toy_stopped", toy.state_dict())

    def _toy_told(self) -> None:
        """SIGTERM reaches the second process alone, then both go on."""

        def tell(progress: TrainingProgress) -> None:
            if progress.step == STOP and self.fabric.global_rank == 1:
                signal.raise_signal(signal.SIGTERM)

        state, handled = self.folder / "states" / "told", False
        try:
            train_toy(state, fabric=self.fabric, report=tell, checkpoint_every=100)
        except Stopped:
            handled = True
        self.fabric.barrier()  # rank 0 saves; then both look, before it saves the next
        saved = sorted(int(path.stem.removeprefix("step-")) for path in state.glob("*.pt"))
        self.fabric.barrier()
        toy, _ = train_toy(state, fabric=self.fabric, checkpoint_every=100)
        self._save("toy_told", toy.state_dict())
        self._save("told", {"heeded": torch.tensor(handled), "saved": torch.tensor(saved)})

    def _uneven(self) -> None:
        try:
            train_toy(self.folder / "uneven", toy=new_toy(batch_size=3), fabric=self.fabric)
        except UserError as error:
            (self._own() / "uneven.txt").write_text(str(error))

    def _save(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        contiguous = {key: value.contiguous() for key, value in tensors.items()}
        save_file(contiguous, self._own() / f"{name}.safetensors")

    def _own(self) -> Path:
        own = self.folder / f"rank{self.fabric.global_rank}"
        own.mkdir(exist_ok=True)
        return own


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    folder = options.folder

    def raise_stopped(number: int, frame: object) -> None:
        raise Stopped

    if local_rank() > 0:  # as the training stage does
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        exit_when_parent_dies()
    else:
        signal.signal(signal.SIGTERM, raise_stopped)
    fabric = launch(device=options.device, devices=2, precision="32-true")
    torch.set_num_threads(1)
    scenarios = Scenarios(folder, fabric)
    if options.device == "cpu":
        scenarios.run()
    else:
        scenarios.train_all()


if __name__ == "__main__":
    main()
