"""Start the embedded server of a build, load the build's graph into it, and end it again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.kg.progress import Progress
from pathfolio.kg.store.address import StoreAddress
from pathfolio.kg.store.embedded import DATABASE, READER, WRITER, ServerSettings
from pathfolio.kg.store.layout import LAYOUT
from pathfolio.kg.store.secret import write_secret

if TYPE_CHECKING:
    from pathfolio.kg.graph import KnowledgeGraph

STORE_FOLDER: Final = "store"
"""Where, in a build, the embedded server keeps its copy of the graph; it can be removed at any time."""

PASSWORD_FILE: Final = "password"  # noqa: S105 - a file's name
"""Where, in the server's folder, the password of the user who may write is kept."""

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0


@dataclass(frozen=True)
class ServerOptions:
    """How to run the embedded server.

    Attributes:
        port: of the loopback interface; 0 for a free one.
        seconds: how long a query of an analyst may run.
        heap: the most memory for Java's objects, as Java writes it; half of it is for what queries gather.
        password: of the user who may read; empty for a new one at each start.
    """

    port: int = 0
    seconds: float = 30.0
    heap: str = "2g"
    password: str = field(default="", repr=False)


class EmbeddedServer:
    """A running embedded server. Use it as a context manager, or stop it.

    Attributes:
        folder: its data.
        settings: ports and passwords.

    Raises:
        StoreError: it does not start.
    """

    def __init__(self, folder: Path, options: ServerOptions | None = None) -> None:
        """Start it in `folder`, which is made where it is absent, and wait until it answers."""
        options = options or ServerOptions()
        _check_free(options.port)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder.absolute()
        self.options = options
        self._start()

    def _start(self) -> None:
        folder = self.folder
        ready = folder / "ready"
        ready.unlink(missing_ok=True)
        port = self.options.port or free_port()
        self.settings = ServerSettings(
            folder=str(folder),
            port=port,
            http_port=free_port(),
            writer_password=_writer_password(folder),
            reader_password=self.options.password or secrets.token_urlsafe(24),
            seconds=self.options.seconds,
            ready=str(ready),
            heap=self.options.heap,
        )
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pathfolio.kg.store.embedded"],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(asdict(self.settings)).encode() + b"\n")
            self._process.stdin.flush()
        self._await(ready)

    def _await(self, ready: Path) -> None:
        end = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise StoreError(
                    f"the embedded server does not start: see {self.folder / 'server.log'}, "
                    f"or remove {self.folder} and try again"
                )
            time.sleep(0.02)

    def writer(self) -> StoreAddress:
        """For loading: a user who may do everything."""
        return self._address(WRITER, self.settings.writer_password)

    def reader(self) -> StoreAddress:
        """For analysts: a user who may read, within limits that the server keeps."""
        return self._address(READER, self.settings.reader_password)

    def _address(self, user: str, password: str) -> StoreAddress:
        return StoreAddress(f"bolt://127.0.0.1:{self.settings.port}", user, password, DATABASE)

    def revive(self) -> bool:
        """Start again, on new ports, where the server ended itself over a query that it could not stop."""
        if not self.has_ended():
            return False
        self._close_input()
        self._start()
        return True

    def has_ended(self, seconds: float = 0.0) -> bool:
        """Whether it has ended itself, as it does over a query that it cannot stop; `seconds` to wait for that."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._process.pid

    def wait(self) -> int:
        """Wait until the server ends; its exit code."""
        return self._process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        self._close_input()

    def _close_input(self) -> None:
        """Tell the server to end, or let go of the pipe of one that has."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def stop(self) -> None:
        """End it, by force where it does not go by itself."""
        self._close_input()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise UsageError(f"port {port} of 127.0.0.1 cannot be had: name a free one, or 0 for any") from None


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _writer_password(folder: Path) -> str:
    """The password that the server's folder was made with, or a new one for a new folder."""
    path = folder / PASSWORD_FILE
    if path.exists() and (folder / "config").exists():
        return path.read_text(encoding="ascii")
    shutil.rmtree(folder / "config", ignore_errors=True)
    password = secrets.token_urlsafe(24)
    write_secret(path, password)
    return password


def start_loaded(
    folder: Path,
    content_hash: str,
    read: Callable[[], KnowledgeGraph],
    options: ServerOptions | None = None,
    progress: Progress | None = None,
) -> EmbeddedServer:
    """The embedded server with the graph that has this content hash; the copy that is there is used where it is it.

    Args:
        folder: the server's own, made and emptied as needed.
        read: brings the graph where it has to be loaded.
    """
    from pathfolio.kg.store.bolt import Store
    from pathfolio.kg.store.load import load_into

    mark = folder / "content_hash"
    loaded = f"{content_hash} layout {LAYOUT}"
    if mark.exists() and mark.read_text(encoding="ascii") == loaded:
        return EmbeddedServer(folder, options)
    # Another graph, or half of one: a new copy is several times as fast as bringing it up to date.
    shutil.rmtree(folder, ignore_errors=True)
    server = EmbeddedServer(folder, options)
    try:
        with Store(server.writer()) as store:
            load_into(store, read(), progress=progress)
        mark.write_text(loaded, encoding="ascii")
    except BaseException:
        server.stop()
        raise
    return server


@contextmanager
def locked(folder: Path, seconds: float = START_SECONDS) -> Iterator[None]:
    """Let one process at a time use a server's folder.

    Raises:
        StoreError: another one still uses it after `seconds`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w", encoding="ascii") as file:
        end = time.monotonic() + seconds
        while not _lock(file.fileno()):
            if time.monotonic() > end:
                raise StoreError(f"{folder} is in use by another process: ask that one, with --uri, or end it")
            time.sleep(0.1)
        yield


def _lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two processes at once end in the server's own refusal
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
