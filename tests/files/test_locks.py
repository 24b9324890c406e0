import logging
import threading
from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.files.locks import exclusive_lock


def test_the_second_waits_for_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "lock"
    order: list[str] = []

    def enter() -> None:
        with exclusive_lock(path, action="works"):
            order.append("second")

    thread = threading.Thread(target=enter)
    with caplog.at_level(logging.INFO), exclusive_lock(path, action="works"):
        thread.start()
        while f"{path}: waiting for another process that works" not in caplog.messages:
            thread.join(0.01)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_the_second_is_refused_where_waiting_is_of_no_use(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        exclusive_lock(path, action="works"),
        pytest.raises(UserError, match=r"lock: another process works; stop it$"),
    ):
        exclusive_lock(path, action="works", refusal="stop it")
    with exclusive_lock(path, action="works", refusal="stop it"):
        pass
