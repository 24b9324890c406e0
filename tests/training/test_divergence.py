from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.methods.base import Phase
from tests.helpers.toy import Toy, new_toy, train_toy

pytestmark = pytest.mark.usefixtures("one_thread")


class Poisoned(Toy):
    """From the third step of the second phase on, one thing is not finite."""

    def __init__(self, what: str) -> None:
        torch.manual_seed(0)
        super().__init__(new_toy().options, self._poison)
        self.what, self.calls = what, 0

    def _poison(self) -> None:
        self.calls += 1
        if self.calls == 3:
            with torch.no_grad():
                if self.what == "loss":
                    self.critic.weight.fill_(torch.nan)
                elif self.what == "weight":
                    next(self.encoder.parameters())[0, 0, 0, 0] = torch.inf
            if self.what == "gradient":
                self.decoder.weight.register_hook(lambda gradient: gradient / 0)


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("loss", r"the loss term adversarial \(nan\)"),
        ("gradient", r"the gradient of decoder\.weight \(loss terms l1, adversarial\)"),
        ("weight", r"the weight encoder\.0\.weight"),
    ],
)
def test_what_is_not_finite_stops_the_training(tmp_path: Path, what: str, named: str) -> None:
    with pytest.raises(
        UserError,
        match=rf"step 3 of phase adversarial: {named} .*step-0000000008\.pt",
    ):
        train_toy(tmp_path / "state", toy=Poisoned(what), checkpoint_every=1)
    saved = sorted(path.name for path in (tmp_path / "state").glob("*.pt"))
    assert saved == ["step-0000000007.pt", "step-0000000008.pt"]


def test_divergence_before_any_state_says_so(tmp_path: Path) -> None:
    toy = new_toy()
    torch.nn.init.constant_(toy.decoder.weight, torch.nan)
    with pytest.raises(UserError, match="step 1 of phase reconstruct"):
        train_toy(tmp_path, toy=toy)


def test_a_full_gpu_is_explained(tmp_path: Path) -> None:
    def during() -> None:
        raise torch.OutOfMemoryError("Tried to allocate 9 GiB")

    with pytest.raises(UserError, match=r"phase adversarial: .*9 GiB"):
        train_toy(tmp_path, toy=new_toy(during=during))


def test_a_gradient_outside_the_optimiser_does_not_matter(tmp_path: Path) -> None:
    """The generator's loss also flows into the critic, which it does not train."""

    class Loud(Toy):
        def phases(self) -> list[Phase]:
            phases = list(super().phases())
            self.critic.weight.register_hook(lambda gradient: gradient * self.factor)
            return phases

        factor = 1.0

        def _compete(self, batch: Any) -> Iterator[Any]:
            updates = super()._compete(batch)
            yield next(updates)
            self.factor = torch.inf
            yield next(updates)
            self.factor = 1.0
            yield from updates

    _, history = train_toy(tmp_path, toy=Loud(new_toy().options))
    assert len(history.rows) == 4
