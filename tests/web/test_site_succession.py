"""A running site takes a new build without losing a request, and keeps the one it has where the new one is none."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from pathfolio.kg.progress import Progress
from pathfolio.kg.swap import replace_folder
from pathfolio.recommender.build import Beside, Build, BuildOptions, load_build, write_build
from pathfolio.recommender.demand import DemandOptions
from pathfolio.recommender.score_inputs import ScoreOptions
from pathfolio.web.succession import CAN_SUCCEED
from tests.web.site_pages import investors
from tests.web.test_site_serve import pathfolio

pytestmark = pytest.mark.skipif(not CAN_SUCCEED, reason="processes cannot be copied here")

SECONDS = 30.0


@pytest.fixture(scope="module")
def other(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The same day's with lists for a month."""
    options = BuildOptions(score=replace(ScoreOptions(), demand=DemandOptions(horizon=30)))
    out = tmp_path_factory.mktemp("other") / "build"
    return write_build(build.graph, build.learned, out, options, Progress(None), Beside(prices=build.prices))


@dataclass
class Visitors:
    """Some who ask again and again, each on a connection of its own that is kept; which builds answered them."""

    port: int
    url: str
    count: int = 3
    builds: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Visitors:
        self._threads = [threading.Thread(target=self._ask, args=(at,)) for at in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, at: int) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        while not self._over.is_set():
            try:
                for url in (self.url, "/metrics"):
                    connection.request("GET", url)
                    answer = connection.getresponse()
                    told = answer.read().decode()
                    self.statuses.add(answer.status)
                self.builds.extend(re.findall(r'pathfolio_build\{.*hash="(\w+)"', told))
            except (OSError, HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
            if at == 0:
                connection.close()  # one comes anew each time
        connection.close()

    def meet(self, build: Build) -> bool:
        return build.build_hash in self.builds[-self.count :]


def until(what: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def put(build: Build, folder: Path) -> None:
    with replace_folder(folder) as aside:
        shutil.copytree(build.folder, aside, dirs_exist_ok=True)


@dataclass
class Served:
    """A site that follows its folder."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    said: list[str]

    def says(self, words: str) -> bool:
        return any(words in line for line in self.said)

    def serving(self) -> int:
        """How many processes serve or are about to."""
        return len(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())


@pytest.fixture
def served(build: Build, tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "build"
    put(build, folder)
    process = pathfolio("serve", str(folder), "--port", "0", "--helpers", "1", "--follow")
    lines = process.stderr
    assert lines is not None
    found = next(found for line in lines if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
    said: list[str] = []
    threading.Thread(target=lambda: said.extend(lines), daemon=True).start()
    yield Served(process, folder, int(found[1]), said)
    process.terminate()
    assert process.wait(timeout=20) == 0


def form_of(port: int, user: str) -> tuple[str, dict[str, str]]:
    """What lets somebody follow an asset: the form, and the cookie of the session that it belongs to."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", f"/investors/{quote(user, safe='')}")
    answer = connection.getresponse()
    page = answer.read().decode()
    token, asset = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("csrf_token", "follow"))
    assert token is not None
    assert asset is not None
    connection.close()
    cookie = str(answer.getheader("Set-Cookie")).partition(";")[0]
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    return urlencode({"csrf_token": token[1], "follow": asset[1]}), form


def test_a_new_build_is_taken_and_no_request_lost(served: Served, build: Build, other: Build) -> None:
    user = next(user for user in investors(build)[1:] if user.isalnum())
    body, headers = form_of(served.port, user)
    with Visitors(served.port, f"/investors/{user}?format=json") as visitors:
        until(lambda: len(visitors.builds) > 3)
        put(other, served.folder)
        until(lambda: visitors.meet(other))
        until(lambda: served.serving() == 1)
        (served.folder / "manifest.json").write_text("no build")
        until(lambda: served.says("is not served"))
        assert served.says("not JSON")
        before = len(visitors.builds)
        until(lambda: len(visitors.builds) > before + 3)
        put(build, served.folder)
        served.process.send_signal(signal.SIGHUP)
        until(lambda: visitors.meet(build))
    assert visitors.lost == []
    assert visitors.statuses == {200}
    connection = HTTPConnection("127.0.0.1", served.port, timeout=SECONDS)
    connection.request("POST", f"/investors/{user}/told", body, headers)
    assert connection.getresponse().status == 303, "a page of before can be sent off"
    connection.close()
    assert load_build(served.folder).build_hash == build.build_hash
