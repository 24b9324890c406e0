"""A small method that uses all that the training loop offers, to be trained in a blink.

As a program it trains itself in a folder and kills itself at a step, for the tests of resuming:
`python -m tests.helpers.toy FOLDER (--kill-after | --kill-while-saving) STEP`.
"""

import argparse
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from mdrnets.config.options import TrainOptions
from mdrnets.data.dataset import TrainingData
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Update
from mdrnets.training.history import History
from mdrnets.training.launching import launch
from mdrnets.training.loop import TrainingProgress, train

SIZE = 16
FIRST, SECOND = 6, 5  # steps of the phases


class Options(TrainOptions):
    steps: int = Field(default=FIRST + SECOND, ge=2)
    batch_size: int = Field(default=4, ge=1)
    width: int = Field(default=4, ge=1)
    lr: float = Field(default=1e-3, gt=0)


class Toy(Method):
    """Two phases, three optimisers, two schedulers, random numbers, BatchNorm, an EMA, a start.

    `during(step)` is called in the second phase, between the two updates of a step.
    """

    palette: Tensor
    average: Tensor

    def __init__(self, options: Options, during: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.options, self.during = options, during
        self.encoder = nn.Sequential(
            nn.Conv2d(4, options.width, 3, padding=1), nn.BatchNorm2d(options.width), nn.ReLU()
        )
        self.decoder = nn.Conv2d(options.width, 3, 3, padding=1)
        self.critic = nn.Conv2d(3, 1, 4, stride=4)
        self.register_buffer("palette", torch.zeros(3))
        self.register_buffer("average", torch.zeros_like(self.decoder.weight))

    def forward(self, masked: Tensor, hole: Tensor) -> Tensor:
        features = self.encoder(torch.cat([masked, hole], dim=1))
        return torch.tanh(self.decoder(features) + self.palette.view(1, 3, 1, 1))

    def phases(self) -> Sequence[Phase]:
        second = self.options.steps * SECOND // (FIRST + SECOND)
        first = torch.optim.Adam(self.parameters(), lr=self.options.lr)
        generator = torch.optim.SGD(self.decoder.parameters(), lr=self.options.lr, momentum=0.9)
        critic = torch.optim.Adam(self.critic.parameters(), lr=self.options.lr)
        return [
            Phase(
                name="reconstruct",
                steps=self.options.steps - second,
                batch_size=self.options.batch_size,
                optimisers={"all": first},
                schedulers={"all": torch.optim.lr_scheduler.MultiStepLR(first, [2, 4])},
                train_step=self._reconstruct,
            ),
            Phase(
                name="adversarial",
                steps=second,
                batch_size=self.options.batch_size,
                optimisers={"generator": generator, "critic": critic},
                schedulers={
                    "critic": torch.optim.lr_scheduler.ExponentialLR(critic, 0.5),
                    "generator": torch.optim.lr_scheduler.OneCycleLR(generator, 0.1, second + 1),
                },
                train_step=self._compete,
                on_start=self._choose_palette,
                on_enter=self._freeze_encoder,
            ),
        ]

    def _choose_palette(self, images: np.ndarray) -> None:
        mean = torch.from_numpy(images.reshape(-1, 3).mean(axis=0) / 255)
        self.palette.copy_(mean + 0.1 * torch.randn(3))

    def _freeze_encoder(self) -> None:
        self.encoder.eval().requires_grad_(False)

    def _reconstruct(self, batch: Batch) -> Iterator[Update]:
        noise = 0.1 * torch.randn_like(batch.masked)
        output = self(batch.masked + noise, batch.hole)
        yield Update("all", {"l1": (output - batch.image).abs().mean()})

    def _compete(self, batch: Batch) -> Iterator[Update]:
        output = self(batch.masked, batch.hole)
        d_logits = self.critic(torch.cat([batch.image, output.detach()]))
        real, fake = d_logits.chunk(2)
        yield Update("critic", {"real": (1 - real).relu().mean(), "fake": (1 + fake).relu().mean()})
        self.during()
        yield Update(
            "generator",
            {"l1": (output - batch.image).abs().mean(), "adversarial": -self.critic(output).mean()},
        )
        with torch.no_grad():
            self.average.lerp_(self.decoder.weight, 0.1)

    def diagnostics(self) -> dict[str, float]:
        return {"average": self.average.norm().item()}

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(masked.shape, generator=generator, device=masked.device)
        return (self(masked, hole) + 0.2 * noise).clamp(-1, 1)


def build(*, options: Options, context: BuildContext) -> Toy:
    return Toy(options)


def toy_data(*, images: int = 13, size: int = SIZE) -> TrainingData:
    """Noise. The last third is not for training; every second image has a label map."""
    generator = np.random.default_rng(5)
    training = np.arange(images - images // 3)
    labelled = np.arange(0, images, 2)
    holes = np.zeros((5, size, size), dtype=bool)
    for index, hole in enumerate(holes):
        hole[2 + index : 8 + index, 3:9] = True
    return TrainingData(
        images=generator.integers(0, 256, (images, size, size, 3), dtype=np.uint8),
        image_rows=training,
        labels=generator.integers(0, 14, (len(labelled), size, size), dtype=np.uint8),
        labelled_rows=labelled[labelled < len(training)],
        label_rows=np.flatnonzero(labelled < len(training)),
        holes=holes,
        hole_rows=np.arange(3),
    )


def train_toy(folder: Path, *, toy: Toy | None = None, **changes: Any) -> tuple[Toy, History]:
    """Train a toy with its state in `folder`; `changes` are of the loop's arguments."""
    if toy is None:
        toy = new_toy()
    arguments: dict[str, Any] = {
        "seed": 3,
        "log_every": 4,
        "checkpoint_every": 2,
        "state_folder": folder,
        "fingerprint": {"options": {"lr": toy.options.lr}},
        "fabric": launch(device="cpu", devices=1, precision="32-true"),
        "channels_last": False,
        "loader_threads": 0,
        "report": lambda progress: None,
    }
    return toy, train(toy, toy_data(), **(arguments | changes))


def new_toy(*, during: Callable[[], None] = lambda: None, **options: Any) -> Toy:
    torch.manual_seed(0)
    return Toy(Options(**options), during)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill-after", type=int)
    parser.add_argument("--kill-while-saving", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    write = torch.save
    reached = 0

    def report(progress: TrainingProgress) -> None:
        nonlocal reached
        reached = progress.step
        if reached == options.kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    def save(content: object, path: Path) -> None:
        write(content, path)
        if reached == options.kill_while_saving:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save = save  # type: ignore[assignment]
    train_toy(options.folder, report=report)


if __name__ == "__main__":
    main()
