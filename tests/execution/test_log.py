import io
import sys

import pytest

from mdrnets.execution.log import tolerate_encoding


def test_a_terminal_without_a_letter_gets_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    tolerate_encoding()
    print("32² pixels", flush=True)
    assert buffer.getvalue() == b"32? pixels\n"
