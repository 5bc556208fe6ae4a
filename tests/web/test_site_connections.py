"""Connections that say nothing, or a byte now and then, keep nobody else out; long work keeps nobody waiting."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest
from flask import Flask
from waitress import wasyncore

from pathfolio.recommender.build import Build
from pathfolio.web.listening import listen
from pathfolio.web.site import connections, create_app
from pathfolio.web.site.connections import MOST_CONNECTIONS, Server
from pathfolio.web.site.server import made
from tests.web.site_pages import investors
from tests.web.test_site_serve import pathfolio

Address = tuple[str, int]


@pytest.fixture(scope="module")
def site(build: Build) -> Iterator[Address]:
    """Where a site listens that runs as it is started by the command line."""
    process: subprocess.Popen[str] = pathfolio("serve", str(build.folder), "--port", "0", "--helpers", "1")
    assert process.stderr is not None
    found = next(found for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
    yield "127.0.0.1", int(found[1])
    process.terminate()
    process.communicate(timeout=20)


def _asked(address: Address, url: str = "/", method: str = "GET", body: str | None = None) -> tuple[int, float]:
    """The status, and the seconds until the whole answer was there."""
    begun = time.monotonic()
    headers = {"Content-Type": "application/json"} if body else {}
    with closing(HTTPConnection(*address, timeout=120)) as connection:
        connection.request(method, url, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - begun


BEGUN = (
    b"",
    b"G",
    b"GET / HTTP/1.1\r\nHost: local",
    b"POST /graph HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
)


@pytest.mark.parametrize("count", [150, MOST_CONNECTIONS + 100])
def test_half_open_connections_keep_nobody_out(site: Address, count: int) -> None:
    with ExitStack() as stack:
        for at in range(count):
            opened = stack.enter_context(socket.create_connection(site, timeout=10))
            opened.sendall(BEGUN[at % len(BEGUN)])
        for _ in range(5):
            status, seconds = _asked(site)
            assert (status, seconds < 3.0) == (200, True)
    assert _asked(site)[0] == 200


def test_a_visitor_who_came_first_is_still_served(site: Address) -> None:
    """A connection that was open before is closed, if at all, between two requests, which every client bears."""
    with closing(HTTPConnection(*site, timeout=10)) as first, ExitStack() as stack:
        first.request("GET", "/")
        assert first.getresponse().read()
        for _ in range(MOST_CONNECTIONS // 2):
            stack.enter_context(socket.create_connection(site, timeout=10))
        first.request("GET", "/")
        assert first.getresponse().status == 200


@pytest.fixture
def quick(build: Build, monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """A site with short times, in a thread."""
    monkeypatch.setattr(connections, "SECONDS_TO_ASK", 1.0)
    monkeypatch.setattr(connections, "SECONDS_IDLE", 2.0)
    app: Flask = create_app(build)
    listener = listen("127.0.0.1", 0)
    server = made(app, listener)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield listener.getsockname()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(server._map)


def _closed_after(address: Address, drip: bytes, every: float) -> float:
    """Seconds until the server closes a connection that sends a byte now and then; 10 where it does not."""
    begun = time.monotonic()
    with closing(socket.create_connection(address)) as opened:
        opened.settimeout(every)
        for at in range(int(10 / every)):
            try:
                if drip:
                    opened.sendall(drip[at : at + 1] or b"x")
                if opened.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - begun


@pytest.mark.parametrize("drip", [b"", b"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"])
def test_a_request_that_comes_byte_by_byte_is_waited_for_no_longer(quick: Address, drip: bytes) -> None:
    assert 0.9 < _closed_after(quick, drip, 0.2) < 5.0


def test_who_asks_again_and_again_stays_connected(quick: Address) -> None:
    with closing(HTTPConnection(*quick, timeout=10)) as connection:
        connection.connect()
        opened = connection.sock
        for _ in range(4):
            connection.request("GET", "/sign-in")
            connection.getresponse().read()
            assert connection.sock is opened
            time.sleep(1.2)


# -- the end ------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow() -> Iterator[tuple[Server, Address, threading.Thread, threading.Event]]:
    """A server whose one page takes until the event is set, in a thread, with a connection that asks for nothing."""
    go_on = threading.Event()
    app = Flask("slow")
    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.add_url_rule("/", view_func=lambda: str(go_on.wait(10)))
    listener = listen("127.0.0.1", 0)
    server = made(app, listener)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with closing(socket.create_connection(listener.getsockname())):
        yield server, listener.getsockname(), thread, go_on
    wasyncore.close_all(server._map)


@pytest.mark.parametrize("how", ["stop", "leave"])
def test_what_is_being_answered_is_finished(
    slow: tuple[Server, Address, threading.Thread, threading.Event], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, address, thread, go_on = slow
    monkeypatch.setattr(connections, "SECONDS_TO_ASK", 1.0)
    with ThreadPoolExecutor(1) as pool, closing(HTTPConnection(*address, timeout=10)) as connection:
        connection.request("GET", "/")
        answer = pool.submit(connection.getresponse)
        until = time.monotonic() + 5
        while not any(each.requests for each in server._open) and time.monotonic() < until:
            time.sleep(0.01)
        getattr(server, how)()
        thread.join(0.3)
        assert thread.is_alive(), "it waits for the answer"
        go_on.set()
        assert (answer.result().status, answer.result().read()) == (200, b"True")
        assert answer.result().getheader("Connection") == "close"
    thread.join(5)
    assert not thread.is_alive()


def test_told_twice_to_stop_it_waits_for_nobody(
    slow: tuple[Server, Address, threading.Thread, threading.Event],
) -> None:
    server, address, thread, go_on = slow
    with closing(HTTPConnection(*address, timeout=10)) as connection:
        connection.request("GET", "/")
        until = time.monotonic() + 5
        while not any(each.requests for each in server._open) and time.monotonic() < until:
            time.sleep(0.01)
        server.stop()
        server.stop()
        until = time.monotonic() + 5
        while server._map and not server._has_answered and time.monotonic() < until:
            time.sleep(0.01)
        assert server._has_answered
        go_on.set()
    thread.join(8)
    assert not thread.is_alive()


# -- long work ----------------------------------------------------------------------------------------------------

LONG_WORK: tuple[Callable[[Address, str], object], ...] = (
    lambda site, _: _asked(site, "/graph", "POST", '{"query": "RETURN \'' + "\\\\" * 9_900 + "'\"}"),
    lambda site, _: _asked(site, "/graph", "POST", '{"query": "RETURN ' + "any(1)," * 2_800 + '1"}'),
    lambda site, _: _asked(site, f"/search?q={'a+' * 900}"),
    lambda site, user: _asked(site, "/api/what-if", "POST", f'{{"user_id": "{user}", "k": 100}}'),
    lambda site, user: _asked(site, f"/investors/{user}?kind=stock"),
    lambda site, user: _asked(site, f"/investors/{user}/what-if?horizon=3"),
    lambda site, _: _asked(site, "/assets/UMBR.US/audience?k=100"),
)


def test_another_page_is_answered_meanwhile(site: Address, build: Build) -> None:
    """The median and the slowest of a page that needs nothing, while everything long is asked for at once."""
    users = investors(build)[1:5]
    assert _asked(site, "/graph", "POST", '{"query": "RETURN 1"}')[0] == 200  # the store is there
    ended = time.monotonic() + 6.0
    with ThreadPoolExecutor(len(LONG_WORK)) as pool:
        running = [pool.submit(_again, work, site, users, ended) for work in LONG_WORK]
        taken = []
        while time.monotonic() < ended:
            status, seconds = _asked(site, "/openapi.json")
            assert status == 200
            taken.append(seconds)
        assert all(each.result() > 0 for each in running)
    assert max(taken) < 3.0
    assert sorted(taken)[len(taken) // 2] < 0.5


def _again(work: Callable[[Address, str], object], site: Address, users: list[str], ended: float) -> int:
    count = 0
    while time.monotonic() < ended:
        work(site, users[count % len(users)])
        count += 1
    return count
