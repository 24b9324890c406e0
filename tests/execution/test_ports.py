"""Ports for pages of this machine."""

import socket
from collections.abc import Iterator

import pytest

from mdrnets.errors import UserError
from mdrnets.execution.ports import HOST, choose_port


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        yield busy.getsockname()[1]


def test_a_free_port_is_taken(closed_port: int) -> None:
    assert choose_port(closed_port, first=1) == closed_port


def test_the_next_port_is_taken_if_the_first_is_in_use(busy_port: int) -> None:
    assert busy_port < choose_port(None, first=busy_port) < busy_port + 100


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_what_is_no_port_is_named(port: int) -> None:
    with pytest.raises(UserError, match=f"^--port {port}: "):
        choose_port(port, first=5000)
