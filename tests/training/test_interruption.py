import signal
from collections.abc import Iterator

import pytest

from mdrnets.training import interruption
from mdrnets.training.interruption import DeferredSignals


@pytest.fixture(autouse=True)
def terminations() -> Iterator[list[int]]:
    """SIGTERMs that reached the handler which was there before."""
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    yield seen
    signal.signal(signal.SIGTERM, before)


def test_a_signal_waits_until_it_is_raised(terminations: list[int]) -> None:
    with DeferredSignals() as signals:
        assert signals.received is None
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)  # does not count any more
        assert signals.received == signal.SIGTERM and not terminations
        signals.raise_pending()
        assert terminations == [signal.SIGTERM]
    assert terminations == [signal.SIGTERM]


def test_a_pending_signal_acts_at_the_end(terminations: list[int]) -> None:
    with DeferredSignals():
        signal.raise_signal(signal.SIGTERM)
    assert terminations == [signal.SIGTERM]


def test_ctrl_c_is_a_keyboard_interrupt_again() -> None:
    with pytest.raises(KeyboardInterrupt), DeferredSignals():
        signal.raise_signal(signal.SIGINT)


def test_one_that_comes_while_the_ranks_agree_waits_for_the_next_time(
    terminations: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def agree(number: int) -> int:
        signal.raise_signal(signal.SIGTERM)
        return number

    monkeypatch.setattr(interruption, "all_reduce_max", agree)
    with DeferredSignals() as signals:
        assert not signals.pending_on_any_rank()
        assert signals.pending_on_any_rank() and not terminations
    assert terminations == [signal.SIGTERM]


def test_what_another_rank_received_waits_here_too(
    terminations: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "all_reduce_max", lambda number: signal.SIGTERM)
    with DeferredSignals() as signals:
        assert signals.pending_on_any_rank()
        signals.raise_pending()
        assert terminations == [signal.SIGTERM]


def test_an_error_goes_before_a_signal(terminations: list[int]) -> None:
    with pytest.raises(ValueError, match="diverged"), DeferredSignals():
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("diverged")
    assert not terminations


def test_handlers_are_put_back(terminations: list[int]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with DeferredSignals():
        pass
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
