"""Running the site: several visitors at a time, nothing heavy loaded, started and stopped by the command line."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from pathfolio.recommender.build import Build
from pathfolio.web.cli import main
from pathfolio.web.commands.serve import _access
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.roles import AccountRole


@pytest.fixture(scope="module")
def app(build: Build) -> Flask:
    return create_app(build)


def test_two_visitors_at_a_time_get_their_own_pages(app: Flask, build: Build) -> None:
    users = [str(key) for key in build.graph.nodes.id[build.graph.users[:24]]]
    alone = {user: app.test_client().get(f"/investors/{user}?format=json").text for user in users}
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda u: (u, app.test_client().get(f"/investors/{u}?format=json").text), users * 3)
        assert all(alone[user] == text for user, text in together)


def test_serving_loads_no_training_engine(build: Build) -> None:
    user = str(build.graph.nodes.id[build.graph.users[1]])
    code = f"""
import sys, re
from pathlib import Path
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.roles import AccountRole
client = create_app(Path({str(build.folder)!r})).test_client()
html = client.get("/investors/{user}").text
why = re.search(r'href="(/investors/{user}/assets/[^"?]+)', html).group(1)
assert client.get(why).status_code == client.get("/").status_code == 200
print([name for name in ("torch", "pykeen", "dgl", "neo4j", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def pathfolio(*args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from pathfolio.web.cli import main; raise SystemExit(main())", *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_it_is_and_stops_when_told(build: Build, number: signal.Signals) -> None:
    process = pathfolio("serve", str(build.folder), "--port", "0")
    assert process.stderr is not None
    said = next(line for line in process.stderr if "http://" in line)
    address = re.search(r"http://\S+", said)
    assert address is not None
    assert "generated data" in said
    connection = HTTPConnection(urlsplit(address.group()).netloc)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert b"pathfolio" in answer.read()
    assert answer.getheader("Server") is None
    connection.close()
    process.send_signal(number)
    assert "stopped" in process.communicate(timeout=10)[1]
    assert process.returncode == 0


def test_serve_says_what_to_do_about_a_taken_port(build: Build) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = pathfolio("serve", str(build.folder), "--port", str(port))
        error = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert error.splitlines()[-1] == (
        f"pathfolio: port {port} on 127.0.0.1 is taken: stop what runs there, or choose another one with --port"
    )


def test_serve_does_not_start_where_nothing_could_be_recorded(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATHFOLIO_BUILDS", str(tmp_path / "file"))
    (tmp_path / "file").write_text("no folder")
    assert main(["serve", str(build.folder), "--port", "0"]) == 1
    assert "cannot keep build" in capfd.readouterr().err


def test_serve_without_accounts_stays_on_this_machine(build: Build) -> None:
    process = pathfolio("serve", str(build.folder), "--host", "0.0.0.0")  # noqa: S104 - it must be refused
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert "these pages are about persons" in error


def _run(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    """Exit code and errors of a command."""
    code = main(args)
    return code, capfd.readouterr().err


def test_serving_to_others_needs_accounts_and_https(
    build: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Accounts(tmp_path / "empty.db")
    Accounts(tmp_path / "one.db").add("ann", AccountRole.ANALYST, "correct horse battery")
    beyond = ("serve", str(build.folder), "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - it must be refused
    for options, words in (
        ((), "make accounts"),
        (("--accounts", str(tmp_path / "empty.db")), "make accounts"),
        (("--accounts", str(tmp_path / "one.db")), "passwords must not travel in the open"),
        (("--accounts", str(tmp_path / "one.db"), "--url", "http://advice.example"), "in the open"),
        (("--accounts", str(tmp_path / "one.db"), "--url", "advice"), "no address of a site"),
    ):
        code, error = _run(capfd, *beyond, *options)
        assert code == 2
        assert words in error


def test_serving_to_people_of_a_provider(
    build: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody need have an account yet, but accounts there must be; settings that are incomplete serve nobody."""
    serve, where = ("serve", str(build.folder), "--port", "0"), ("--accounts", str(tmp_path / "empty.db"))
    monkeypatch.setenv("PATHFOLIO_OIDC_ISSUER", "https://login.example.com")
    code, error = _run(capfd, *serve, *where)
    assert (code, "but not PATHFOLIO_OIDC_CLIENT_ID nor PATHFOLIO_OIDC_CLIENT_SECRET" in error) == (2, True)
    monkeypatch.setenv("PATHFOLIO_OIDC_CLIENT_ID", "x")
    monkeypatch.setenv("PATHFOLIO_OIDC_CLIENT_SECRET", "hidden")
    code, error = _run(capfd, *serve)
    assert (code, "say with --accounts where their accounts are kept" in error, "hidden" in error) == (2, True, False)
    access = _access("127.0.0.1", "https://advice.example.com", where[1])
    assert access.oidc is not None
    assert access.https
    assert _access("127.0.0.1", None, where[1]).oidc == access.oidc


@pytest.fixture
def behind_proxy(build: Build, tmp_path: Path) -> Iterator[str]:
    """Where a site listens that has a proxy in front."""
    Accounts(tmp_path / "accounts.db").add("ann", AccountRole.ANALYST, "correct horse battery")
    options = ("--accounts", str(tmp_path / "accounts.db"), "--helpers", "0")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    url = "https://advice.example.com"
    process = pathfolio("serve", str(build.folder), *options, "--port", port, "--url", url)
    assert process.stderr is not None
    assert next(line for line in process.stderr if "pathfolio is at" in line)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.communicate(timeout=10)


def _signed_in(address: str, visitor: str) -> int:
    """The answer to a wrong password that the proxy hands on from `visitor`."""
    headers = {"Host": "advice.example.com", "X-Forwarded-For": visitor, "X-Forwarded-Proto": "https"}
    connection = HTTPConnection(address)
    connection.request("GET", "/sign-in", headers=headers)
    answer = connection.getresponse()
    token = re.search(r'csrf_token" value="([^"]+)"', answer.read().decode())
    assert token is not None
    cookies = {"Cookie": str(answer.getheader("Set-Cookie")).partition(";")[0]}
    form = {"Content-Type": "application/x-www-form-urlencoded", "Referer": "https://advice.example.com/sign-in"}
    connection.request("POST", "/sign-in", f"csrf_token={token[1]}&name=x&password=y", headers | cookies | form)
    status = connection.getresponse().status
    connection.close()
    return status


def test_behind_a_proxy_each_visitor_is_slowed_down_alone(behind_proxy: str) -> None:
    """Else one who guesses would lock everybody out, and the log would name the proxy alone."""
    assert [_signed_in(behind_proxy, "192.0.2.1") for _ in range(11)] == [401] * 10 + [429]
    assert _signed_in(behind_proxy, "192.0.2.2") == 401


def test_what_is_too_long_is_refused_before_it_is_read(behind_proxy: str) -> None:
    connection = HTTPConnection(behind_proxy, timeout=10)
    connection.putrequest("POST", "/sign-in")
    connection.putheader("Content-Length", str(500 * 1024 * 1024))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
