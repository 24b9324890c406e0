import sys

import pytest

from mdrnets.training import display as display_module
from mdrnets.training.display import Display
from mdrnets.training.loop import TrainingProgress


def _progress(step: int, **values: float) -> TrainingProgress:
    return TrainingProgress("second", step, 20, values, 80, 4.0)


def test_a_log_gets_a_line_now_and_then_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    now = 0.0
    monkeypatch.setattr(display_module.time, "monotonic", lambda: now)
    with Display(label="toy on one") as display:
        for step in range(1, 21):
            now += 2.5
            display.show(_progress(step, **({"l1": 0.12345} if step == 2 else {})))
    assert [line.split(",")[0] for line in caplog.messages] == [
        f"toy on one: step {step} of 20 (second)" for step in (4, 8, 12, 16, 20)
    ]
    # The latest losses, though none are new at this step.
    assert caplog.messages[0].endswith(", 4 steps/s, 0:00:04 left; l1 0.123")


def test_a_terminal_gets_a_bar_with_the_losses(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Display(label="toy on one") as display:
        for step in (11, 12):  # resumed after step 10
            display.show(_progress(step, a=1, b=2, c=3, d=4, e=5))
        assert display.bar.n == 12 and display.bar.total == 20
    assert not caplog.messages
    shown = capsys.readouterr().err
    assert "toy on one" in shown and "12/20" in shown
    assert "second: a 1, b 2, c 3, d 4" in shown and "e 5" not in shown
