"""`Server`: waitress that does not let a few visitors take all connections, and that ends without losing a request.

waitress closes a connection where nothing came for a while, and accepts none while there are too many. So a hundred
sockets that say nothing, or a byte now and then, would lock everybody out. Here a request has to be there as a whole
soon after it began, and where connections run short, those make room that ask for nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

MOST_CONNECTIONS: Final = 500
SECONDS_IDLE: Final = 30
"""So long a connection may stay open between two requests."""

SECONDS_TO_ASK: Final = 15
"""So long a request may take to arrive, from the connection or its first byte to its last."""

SECONDS_TO_STOP: Final = 30
"""So long at most what is being answered holds up a server that is stopped."""

LARGEST_HEADER: Final = 64 * 1024
"""Bytes of a request's lines before its body."""

_KEPT_FREE: Final = 20
"""Connections that are free again once some have made room, so that not every newcomer has to look for it."""


class Connection(HTTPChannel):
    """A connection that knows since when a request has been on its way."""

    server: Server

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As `HTTPChannel`; the first request is expected from now on."""
        self.asking_since: float | None = time.time()
        super().__init__(*args, **kwargs)

    def received(self, data: bytes) -> bool:
        """As `HTTPChannel.received`; whatever comes starts the clock, and a whole request stops it (`add_task`)."""
        if self.asking_since is None:
            self.asking_since = time.time()
        return bool(super().received(data))

    def service(self) -> None:
        """As `HTTPChannel.service`; a server that leaves says so."""
        if self.server.is_leaving:
            self.part()
        super().service()

    def part(self) -> None:
        """Tell with the answer that is due that the next request has to come by another connection."""
        requests = list(self.requests)  # another thread may take one away just now
        if len(requests) == 1:
            headers: Any = requests[0].headers  # stubs take it for one that cannot be changed
            headers["CONNECTION"] = "close"

    def is_late(self, now: float) -> bool:
        """Whether its request should have been there by now, the next one have come, or the answer been read."""
        if self.requests:
            return False
        late = self.asking_since is not None and now - self.asking_since > SECONDS_TO_ASK
        return late or now - self.last_activity > SECONDS_IDLE


class Server(TcpWSGIServer):
    """A server that closes what is late every second, and what asks for nothing where connections run short."""

    channel_class = Connection
    is_leaving = False
    """Whether it accepts nobody any more."""

    _map: dict[int, Any]
    _stops_at: float | None = None

    def run(self) -> None:
        """Answer until it is told to leave or to stop, and has."""
        while self._map and not (self.is_leaving and self._has_answered):
            self.asyncore.loop(self.adj.asyncore_loop_timeout, self.adj.asyncore_use_poll, self._map, count=1)
        self.task_dispatcher.shutdown()

    def leave(self) -> None:
        """Accept nobody any more, for another server does, and end once those who are connected have gone.

        Each is told so with the next answer; who asks for nothing more goes after `SECONDS_IDLE`.
        """
        self.is_leaving = True
        for channel in self._open:
            channel.part()
        self.pull_trigger()

    def stop(self) -> None:
        """Finish what is being answered, for `SECONDS_TO_STOP` at most, and end; told again, end at once."""
        self._stops_at = time.time() + (SECONDS_TO_STOP if self._stops_at is None else 0)
        self.leave()

    @property
    def _has_answered(self) -> bool:
        if self._stops_at is None:
            return not self._open
        is_answering = any(channel.requests or channel.total_outbufs_len for channel in self._open)
        return not is_answering or time.time() >= self._stops_at

    @property
    def _open(self) -> list[Connection]:
        found: Any = self.active_channels
        return list(found.values())

    def add_task(self, task: Any) -> None:
        """As `TcpWSGIServer.add_task`: a request of this connection is there as a whole."""
        task.asking_since = None
        super().add_task(task)

    def readable(self) -> bool:
        """Whether to accept a connection; whoever waits for no answer makes room for it."""
        now = time.time()
        if now >= self.next_channel_cleanup:
            self.next_channel_cleanup = int(now) + self.adj.cleanup_interval
            self.maintenance(now)
        if len(self._open) >= self.adj.connection_limit:
            self._make_room()
        return bool(self.accepting and not self.is_leaving and len(self._open) < self.adj.connection_limit)

    def maintenance(self, now: float) -> None:
        """Close what is late."""
        _close(channel for channel in self._open if channel.is_late(now))

    def _make_room(self) -> None:
        """Close connections whose request is not there yet: of whoever has most of them first, the oldest first."""
        channels = self._open
        count = Counter(channel.addr[0] for channel in channels)
        waiting = [channel for channel in channels if not channel.requests]
        waiting.sort(key=lambda each: (each.total_outbufs_len > 0, -count[each.addr[0]], each.last_activity))
        needed = len(channels) - self.adj.connection_limit + _KEPT_FREE
        _close(waiting[:needed])


def _close(channels: Iterable[Connection]) -> None:
    """Have the loop close them; another thread may be at one of them just now."""
    for channel in channels:
        channel.will_close = True
