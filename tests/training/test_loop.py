import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from mdrnets.methods.base import Batch, Update
from mdrnets.methods.model_files import save_weights
from mdrnets.training import loop
from mdrnets.training.history import History
from mdrnets.training.launching import launch
from mdrnets.training.loop import TrainingProgress
from tests.helpers.toy import FIRST, SECOND, Toy, new_toy, toy_data, train_toy

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS = FIRST + SECOND


class Stop(Exception):  # noqa: N818
    """Stands for whatever ends a process."""


class Terminated(SystemExit):
    """What the stages' handler of SIGTERM raises."""


@pytest.fixture
def sigterm_raises() -> Iterator[None]:
    def handler(number: int, frame: object) -> None:
        raise Terminated(143)

    before = signal.signal(signal.SIGTERM, handler)
    yield
    signal.signal(signal.SIGTERM, before)


def _bytes(folder: Path, toy: Toy, history: History) -> tuple[bytes, str]:
    path = folder / "weights.safetensors"
    save_weights(path, toy)
    return path.read_bytes(), history.to_csv()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("uninterrupted")
    return _bytes(folder, *train_toy(folder / "state"))


def _at(step: int, act: Callable[[], None]) -> Callable[[TrainingProgress], None]:
    def report(progress: TrainingProgress) -> None:
        if progress.step == step:
            act()

    return report


def _stop() -> None:
    raise Stop


def _fabric(precision: str = "32-true") -> Fabric:
    return launch(device="cpu", devices=1, precision=precision)


# -- the steps ---------------------------------------------------------------------------------


def test_training_changes_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    fresh, (toy, _) = new_toy(), train_toy(tmp_path)
    assert not torch.equal(toy.decoder.weight, fresh.decoder.weight)
    assert not torch.equal(toy.critic.weight, fresh.critic.weight)
    assert toy.palette.abs().min() > 0  # on_start was called
    assert toy.average.norm() > 0  # what stands after the last update ran
    assert not toy.encoder.training and toy.critic.training  # on_enter came after train()


@pytest.mark.parametrize(
    ("most", "rows"), [(100, list(range(9))), (9, list(range(9))), (3, [0, 4, 8])]
)
def test_start_sees_training_images_alone_and_not_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, rows: list[int]
) -> None:
    seen: list[np.ndarray] = []

    class Watching(Toy):
        def _choose_palette(self, images: np.ndarray) -> None:
            seen.append(images)

    monkeypatch.setattr(loop, "START_IMAGES", most)
    train_toy(tmp_path, toy=Watching(new_toy().options))
    assert np.array_equal(seen[0], toy_data().images[rows])


def test_the_history_has_a_row_for_each_interval_and_the_end_of_each_phase(tmp_path: Path) -> None:
    _, history = train_toy(tmp_path, log_every=4)
    assert [(row["phase"], row["step"]) for row in history.rows] == [
        ("reconstruct", 4),
        ("reconstruct", 6),
        ("adversarial", 4),
        ("adversarial", 5),
    ]
    assert history.to_csv().splitlines()[0] == "phase,step,l1,average,real,fake,adversarial"


def test_rows_hold_means_of_the_steps(tmp_path: Path) -> None:
    _, every = train_toy(tmp_path / "every", log_every=1)
    _, fourth = train_toy(tmp_path / "fourth", log_every=4)
    losses = [row["l1"] for row in every.rows]
    assert fourth.rows[0]["l1"] == pytest.approx(sum(losses[:4]) / 4)
    assert fourth.rows[1]["l1"] == pytest.approx(sum(losses[4:6]) / 2)


def test_schedulers_step_after_each_training_step(tmp_path: Path) -> None:
    toy = new_toy()
    phases = list(toy.phases())
    toy.phases = lambda: phases  # type: ignore[method-assign]
    train_toy(tmp_path, toy=toy)
    rates = [
        phase.optimisers[name].param_groups[0]["lr"]
        for phase, name in zip(phases, ("all", "critic"), strict=True)
    ]
    assert rates == pytest.approx([1e-3 * 0.1**2, 1e-3 * 0.5**SECOND])


def test_progress_counts_steps_of_all_phases(tmp_path: Path) -> None:
    reports: list[TrainingProgress] = []
    train_toy(tmp_path, report=reports.append)
    assert [progress.step for progress in reports] == list(range(1, STEPS + 1))
    assert {progress.steps for progress in reports} == {STEPS}
    assert [progress.phase for progress in reports[FIRST - 1 : FIRST + 1]] == [
        "reconstruct",
        "adversarial",
    ]
    assert [bool(progress.values) for progress in reports[:6]] == [False] * 3 + [True, False, True]
    assert reports[-1].images == STEPS * 4
    assert reports[-1].seconds_left == 0 < reports[0].seconds_left


def test_the_seed_decides_everything(tmp_path: Path, uninterrupted: tuple[bytes, str]) -> None:
    torch.manual_seed(99)
    toy = new_toy()
    torch.randn(5)  # neither this nor what came before may matter
    assert _bytes(tmp_path, *train_toy(tmp_path / "same", toy=toy)) == uninterrupted
    assert _bytes(tmp_path, *train_toy(tmp_path / "other", seed=4)) != uninterrupted


def test_mixed_precision_trains_in_float32_weights(
    tmp_path: Path, uninterrupted: tuple[bytes, str]
) -> None:
    seen: list[torch.dtype] = []
    toy = new_toy()
    toy.decoder.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    _, history = train_toy(tmp_path, toy=toy, fabric=_fabric("bf16-mixed"))
    assert set(seen) == {torch.bfloat16}
    assert toy.decoder.weight.dtype == torch.float32
    exact = float(uninterrupted[1].splitlines()[1].split(",")[2])
    assert history.rows[0]["l1"] == pytest.approx(exact, rel=0.05)


def test_channels_last_changes_the_memory_format_and_rounding_alone(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Quiet(Toy):
        """Without noise: `randn_like` fills memory in the order of its format."""

        def _reconstruct(self, batch: Batch) -> Iterator[Update]:
            seen.append(batch.image.is_contiguous(memory_format=torch.channels_last))
            output = self(batch.masked, batch.hole)
            yield Update("all", {"l1": (output - batch.image).abs().mean()})

    last, plain = (Quiet(new_toy().options) for _ in range(2))
    last.load_state_dict(plain.state_dict())
    _, history = train_toy(tmp_path / "last", toy=last, channels_last=True)
    _, expected = train_toy(tmp_path / "plain", toy=plain)
    assert seen == [True] * FIRST + [False] * FIRST
    assert last.decoder.weight.is_contiguous(memory_format=torch.channels_last)
    for row, reference in zip(history.rows, expected.rows, strict=True):
        assert row["l1"] == pytest.approx(reference["l1"], rel=1e-4)
    torch.testing.assert_close(last.decoder.weight, plain.decoder.weight, rtol=0, atol=1e-3)


# -- going on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("checkpoint_every", [2, 5])
@pytest.mark.parametrize("stops", [(step,) for step in range(1, STEPS + 1)] + [(1, 3, 6, 7, 10)])
def test_a_training_that_stopped_ends_as_one_that_did_not(
    tmp_path: Path, uninterrupted: tuple[bytes, str], stops: tuple[int, ...], checkpoint_every: int
) -> None:
    for step in stops:
        with pytest.raises(Stop):
            train_toy(
                tmp_path / "state", report=_at(step, _stop), checkpoint_every=checkpoint_every
            )
    torch.manual_seed(1234)  # a new process begins with other random numbers
    toy, history = train_toy(
        tmp_path / "state", checkpoint_every=checkpoint_every, loader_threads=2
    )
    assert _bytes(tmp_path, toy, history) == uninterrupted


@pytest.mark.parametrize("step", [1, 2, 4])
def test_so_does_one_that_stopped_between_two_updates_of_a_step(
    tmp_path: Path, uninterrupted: tuple[bytes, str], step: int
) -> None:
    calls = iter(range(1, 100))

    def during() -> None:
        if next(calls) == step:
            raise Stop

    with pytest.raises(Stop):
        train_toy(tmp_path / "state", toy=new_toy(during=during), checkpoint_every=1)
    assert _bytes(tmp_path, *train_toy(tmp_path / "state")) == uninterrupted


def test_start_is_not_called_again(tmp_path: Path, uninterrupted: tuple[bytes, str]) -> None:
    with pytest.raises(Stop):
        train_toy(tmp_path / "state", report=_at(FIRST + 3, _stop))

    class Strict(Toy):
        def _choose_palette(self, images: object) -> None:
            raise AssertionError("the phase has begun")

    toy = Strict(new_toy().options)
    assert _bytes(tmp_path, *train_toy(tmp_path / "state", toy=toy)) == uninterrupted


def test_a_finished_training_needs_no_more_steps(
    tmp_path: Path, uninterrupted: tuple[bytes, str]
) -> None:
    train_toy(tmp_path / "state", checkpoint_every=100)
    reports: list[TrainingProgress] = []
    again = train_toy(tmp_path / "state", report=reports.append)
    assert _bytes(tmp_path, *again) == uninterrupted
    assert not reports


def test_progress_after_a_stop_counts_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    with pytest.raises(Stop):
        train_toy(tmp_path / "state", report=_at(6, _stop), checkpoint_every=5)
    reports: list[TrainingProgress] = []
    train_toy(tmp_path / "state", report=reports.append)
    assert reports[0].step == 6 and reports[-1].images == (STEPS - 5) * 4
    assert "step-0000000005.pt" in caplog.messages[0]


def test_sigkill_at_any_moment_loses_nothing(
    tmp_path: Path, uninterrupted: tuple[bytes, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    state = tmp_path / "state"
    command = [sys.executable, "-m", "tests.helpers.toy", str(state)]
    for kill in (["--kill-while-saving", "4"], ["--kill-after", "9"]):
        killed = subprocess.run([*command, *kill], cwd=Path(__file__).parents[2], check=False)
        assert killed.returncode == -signal.SIGKILL
        if "4" in kill:
            assert [path.name for path in state.glob("*.pt")] == ["step-0000000002.pt"]
            assert list(state.glob(".*.part"))  # the torn one, under no final name
    assert _bytes(tmp_path, *train_toy(state)) == uninterrupted
    assert "step-0000000008.pt" in caplog.messages[0]


# -- signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_waits_for_the_end_of_the_step_and_the_state_is_saved(
    tmp_path: Path,
    uninterrupted: tuple[bytes, str],
    sigterm_raises: None,
    number: int,
    raised: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    calls: list[None] = []

    def during() -> None:
        calls.append(None)
        if len(calls) == 3:
            signal.raise_signal(number)
            signal.raise_signal(number)  # as when a whole process group is told twice

    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(raised):
        train_toy(
            tmp_path / "state",
            toy=new_toy(during=during),
            checkpoint_every=100,
        )
    assert len(calls) == 3
    saved = tmp_path / "state" / f"step-{FIRST + 3:010d}.pt"
    assert len(caplog.messages) == 1 and str(saved) in caplog.messages[0]
    assert handlers == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert _bytes(tmp_path, *train_toy(tmp_path / "state")) == uninterrupted


def test_a_signal_at_the_last_step_leaves_a_finished_state(
    tmp_path: Path, uninterrupted: tuple[bytes, str], sigterm_raises: None
) -> None:
    report = _at(STEPS, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Terminated):
        train_toy(tmp_path / "state", report=report)
    assert _bytes(tmp_path, *train_toy(tmp_path / "state")) == uninterrupted


def test_it_also_runs_outside_the_main_thread(
    tmp_path: Path, uninterrupted: tuple[bytes, str]
) -> None:
    results: list[tuple[bytes, str]] = []

    def run() -> None:
        torch.set_num_threads(1)
        results.append(_bytes(tmp_path, *train_toy(tmp_path / "state")))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert results == [uninterrupted]
