"""Ports of this machine, for commands that open a page in a browser."""

import socket

from mdrnets.errors import UserError

HOST = "127.0.0.1"


def choose_port(wanted: int | None, *, first: int) -> int:
    """Return a free port of this machine.

    Args:
        wanted: this one; None: the first free one of the hundred from `first` on.
        first: see `wanted`.

    Raises:
        UserError: the port is in use, or all of them are.
    """
    if wanted is not None:
        if is_used(wanted):
            raise UserError(f"--port {wanted}: in use by another program; pass another number")
        return wanted
    ports = range(first, first + 100)
    free = next((port for port in ports if not is_used(port)), None)
    if free is None:
        raise UserError(f"ports {ports.start} to {ports.stop - 1}: all in use; pass --port")
    return free


def is_used(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
