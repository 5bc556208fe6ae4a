"""Where the site listens. Loads nothing of the site."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Final

from pathfolio.kg.errors import UsageError

BACKLOG: Final = 1024
"""So many may wait to be let in."""

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound to `host` and `port` (0 for any free one), and does not listen yet.

    Raises:
        UsageError: the port is taken, not allowed, or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(_remedy(host, port, error)) from None
    return listener


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises as `bound`."""
    listener = bound(host, port)
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(_remedy(host, port, error)) from None
    return listener


def address_of(listener: socket.socket, host: str) -> str:
    """The URL of what listens there; the port is the one that was found."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def say(text: str) -> None:
    """A line for whoever started the server."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _remedy(host: str, port: int, error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop what runs there, or choose another one with --port"
    if code == errno.EACCES:
        return f"port {port} is reserved for the system: choose one above 1023 with --port"
    return f"cannot listen on {host} port {port} ({error}): choose another --host or --port"
