"""A PostgreSQL server of one's own, which can be stopped and started again, and what its stopping does to a ledger."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.kg.errors import LedgerError
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.processes import ids_in
from tests.noted import Noted

MODES: Final = ("fast", "immediate")
"""How the server is stopped: orderly, connections ended at once; and as if it had crashed."""

_WRITERS: Final = 8
_MAY_BE: Final = "ask for the list again"
"""How an error ends where the server went while it committed."""

_DEBIAN: Final = Path("/usr/lib/postgresql")
_ACCOUNT: Final = "postgres"


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, the newest of several; None where there are none."""
    found = sorted(_DEBIAN.glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@dataclass(frozen=True)
class Server:
    """A server on a port of the loopback interface, without a password; its data are in `folder`."""

    bin: Path
    folder: Path
    port: int

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._do(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def stop(self, mode: str) -> None:
        """Stop it, and wait until it is gone."""
        self._do("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def make(self) -> None:
        """Make its data."""
        self._do("initdb", "-D", str(self.folder / "data"), "-U", _ACCOUNT, "-A", "trust", "-E", "UTF8", "--locale=C")

    def database(self) -> str:
        """The URL of a new database."""
        name = f"ledger_{secrets.token_hex(6)}"
        admin = sa.create_engine(
            f"postgresql+psycopg://{_ACCOUNT}@127.0.0.1:{self.port}/postgres", isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return f"postgresql://{_ACCOUNT}@127.0.0.1:{self.port}/{name}"

    def _do(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), *arguments]
        if os.geteuid() == 0:  # as whom it refuses to run
            command = ["runuser", "-u", _ACCOUNT, "--", *command]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", check=False)
        if done.returncode:
            raise AssertionError(f"{program}: {done.stderr.decode(errors='replace').strip()}")


@contextmanager
def own_server() -> Iterator[Server | None]:
    """A running server that goes when this ends; None where PostgreSQL is not installed."""
    found = binaries()
    if found is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pathfolio-") as name, socket.socket() as free:
        if os.geteuid() == 0:
            account = pwd.getpwnam(_ACCOUNT)
            os.chown(name, account.pw_uid, account.pw_gid)
        free.bind(("127.0.0.1", 0))
        server = Server(found, Path(name), int(free.getsockname()[1]))
        free.close()
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def server_gone() -> list[Measured]:
    """The server ends a connection within a transaction, and is stopped in each of the modes while many append."""
    with own_server() as server:
        if server is None:
            return []
        return connection_ended(server) + [figure for mode in MODES for figure in server_stopped(server, mode)]


def connection_ended(server: Server) -> list[Measured]:
    """A connection that the server ends in the middle of a transaction: told, and nothing of it is recorded."""
    with _ledger(server) as opened:
        kept = {opened.append(Noted(number), person="ann").id for number in range(20)}
        admin = sa.create_engine(opened.store.engine.url, isolation_level="AUTOCOMMIT")
        end = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

        def lost(*_: object) -> None:
            with admin.connect() as connection:
                connection.execute(end)

        try:
            opened.write([opened.draft(Noted(-1), "ann")], lost)
            told = False
        except LedgerError as error:
            told = str(error).endswith((_MAY_BE, "nothing was recorded"))
        kept.add(opened.append(Noted(21), person="ann").id)
        same = ids_in(opened) == kept and verify_ledger(opened).sound
        admin.dispose()
    return [
        Measured("a connection ended within a transaction: told, nothing lost", int(told and same), "", "asked for", 1)
    ]


@dataclass
class _Appending:
    """What many threads were told while the server came and went."""

    acknowledged: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def work(self, opened: Ledger, number: int) -> None:
        """Append until it is over; pause after what was refused."""
        while not self.over.is_set():
            try:
                self.acknowledged.add(opened.append(Noted(0, "x" * 700), person=f"investor {number}").id)
            except LedgerError as error:
                self.refused.append(str(error))
                time.sleep(0.02)


def server_stopped(server: Server, mode: str, rounds: int = 3, seconds: float = 0.4) -> list[Measured]:
    """The server is stopped and started again, several times, while threads append; they go on by themselves."""
    with _ledger(server) as opened:
        told = _Appending()
        threads = [threading.Thread(target=told.work, args=(opened, number)) for number in range(_WRITERS)]
        for thread in threads:
            thread.start()
        silent = 0
        for _ in range(rounds):
            time.sleep(seconds)
            server.stop(mode)
            before = len(told.acknowledged)
            time.sleep(seconds)
            shown_without_server = len(told.acknowledged) - before
            server.start()
            before = len(told.acknowledged)
            time.sleep(2 * seconds)
            silent += len(told.acknowledged) == before
            if shown_without_server > _WRITERS:  # each may have been told of an append that was done before
                raise AssertionError("appends were acknowledged while there was no server")
        told.over.set()
        for thread in threads:
            thread.join()
        stored, sound = ids_in(opened), verify_ledger(opened).sound
    unclear = [text for text in told.refused if "\n" in text or not text.endswith(("nothing was recorded", _MAY_BE))]
    may_be = sum(text.endswith(_MAY_BE) for text in told.refused)
    return [
        Measured(
            f"PostgreSQL stopped ({mode}) {rounds} times, {_WRITERS} threads append: acknowledged",
            len(told.acknowledged),
            "",
        ),
        Measured("of them lost", len(told.acknowledged - stored), "", "asked for", 0),
        Measured("refused", len(told.refused), ""),
        Measured("of them without one clear line", len(unclear), "", "asked for", 0),
        Measured(
            "recorded although told otherwise", max(len(stored - told.acknowledged) - may_be, 0), "", "asked for", 0
        ),
        Measured("restarts after which appends did not go on", silent, "", "asked for", 0),
        Measured("the ledger verifies after", int(sound), "", "asked for", 1),
    ]


@contextmanager
def _ledger(server: Server) -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as keys:
        opened = open_ledger(server.database(), environ={"XDG_DATA_HOME": keys})
        try:
            yield opened
        finally:
            opened.close()
