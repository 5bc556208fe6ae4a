"""Running the site: waitress, on one address, until interrupted."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from types import FrameType
from typing import Final, NoReturn

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from pathfolio.kg.errors import UsageError
from pathfolio.web.site.connections import LARGEST_HEADER, MOST_CONNECTIONS, Server
from pathfolio.web.site.garbage import settle

THREADS: Final = 16
"""Some of them may wait for lists that nobody has asked for yet, which take longer."""

_SWITCH_SECONDS: Final = 0.0005
"""So soon a thread that computes lets another one run: who asks for little does not wait for who asks for much."""

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0 for any free one).

    Raises:
        UsageError: the port is taken, not allowed, or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(_remedy(host, port, error)) from None
    return listener


def address_of(listener: socket.socket, host: str) -> str:
    """The URL of what listens there; the port is the one that was found."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def run(app: Flask, listener: socket.socket) -> None:
    """Answer requests until Ctrl-C or SIGTERM; requests that are being answered are finished."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    settle()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started without it
    server = made(app, listener)
    try:
        server.run()  # ends on KeyboardInterrupt and SystemExit by itself
    finally:
        server.close()


def made(app: Flask, listener: socket.socket) -> Server:
    """A server for `app` that is ready to run."""
    adjustments = Adjustments(
        sockets=[listener],
        threads=THREADS,
        ident=None,
        backlog=1024,
        connection_limit=MOST_CONNECTIONS,
        cleanup_interval=1,
        asyncore_use_poll=True,  # select() takes no file beyond 1,023
        max_request_header_size=LARGEST_HEADER,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],  # else 1 GiB is read before the site can refuse it
        clear_untrusted_proxy_headers=False,  # whether a proxy is believed, the site decides
    )
    where = (listener.family, listener.type, listener.proto, listener.getsockname())
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(THREADS)
    return Server(app, None, True, listener, dispatcher=dispatcher, adj=adjustments, bind_socket=False, sockinfo=where)


def say(text: str) -> None:
    """A line for whoever started the server."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _remedy(host: str, port: int, error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop what runs there, or choose another one with --port"
    if code == errno.EACCES:
        return f"port {port} is reserved for the system: choose one above 1023 with --port"
    return f"cannot listen on {host} port {port} ({error}): choose another --host or --port"
