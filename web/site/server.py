"""Running the site: waitress, until interrupted."""

from __future__ import annotations

import signal
import socket
import sys
from typing import TYPE_CHECKING, Final

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from pathfolio.web.site.connections import LARGEST_HEADER, MOST_CONNECTIONS, Server
from pathfolio.web.site.garbage import settle

if TYPE_CHECKING:
    from pathfolio.web.succession import Life

THREADS: Final = 16
"""Some of them may wait for lists that nobody has asked for yet, which take longer."""

_SWITCH_SECONDS: Final = 0.0005
"""So soon a thread that computes lets another one run: who asks for little does not wait for who asks for much."""


def run(app: Flask, listener: socket.socket, life: Life | None = None) -> None:
    """Answer requests until Ctrl-C or SIGTERM; what is being answered then is finished.

    Args:
        life: where another process started this one, and may let another one take its place: what they share.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    settle()
    server = made(app, listener)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    if life is None:
        signal.signal(signal.SIGINT, lambda *_: server.stop())  # a shell's background jobs are started without it
    else:
        signal.signal(signal.SIGUSR1, lambda *_: server.leave())
        life.begin()
    try:
        server.run()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever is in a hurry need not wait for what is closed now
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
