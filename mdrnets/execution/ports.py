"""Ports of this machine, for commands that open a page in a browser."""

import socket
from argparse import ArgumentParser

from mdrnets.errors import UserError

HOST = "127.0.0.1"


def add_browser_options(parser: ArgumentParser, *, first: int) -> None:
    """Add `--port`, whose default is a free one from `first` on, and `--no-browser`."""
    parser.add_argument("--port", type=int, help=f"by default the first free one from {first} on")
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address without opening a browser"
    )


def choose_port(wanted: int | None, *, first: int) -> int:
    """Return a port of this machine that a program can listen on.

    Args:
        wanted: this one; None: the first free one of the hundred from `first` on.
        first: see `wanted`.

    Raises:
        UserError: the port is in use, forbidden or no port; or all of them are in use.
    """
    if wanted is not None:
        if not 0 < wanted < 2**16:
            raise UserError(f"--port {wanted}: expected a number from 1 to {2**16 - 1}")
        if (reason := _try(wanted)) is not None:
            raise UserError(f"--port {wanted}: {reason}; pass another number")
        return wanted
    ports = range(first, first + 100)
    free = next((port for port in ports if _try(port) is None), None)
    if free is None:
        raise UserError(f"ports {ports.start} to {ports.stop - 1}: all in use; pass --port")
    return free


def _try(port: int) -> str | None:
    """Why no program can listen on a port; None if one can."""
    with socket.socket() as probe:
        # As in servers: a port counts as free while its last connections are being closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def is_used(port: int) -> bool:
    """Whether a program listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
