"""Where the ledger's rows lie: SQLite in a folder, or PostgreSQL for several servers, through SQLAlchemy.

Errors of the database are turned into `LedgerError` here, and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa

from pathfolio.kg.errors import LedgerError

METADATA: Final = sa.MetaData()

ENTRY: Final = sa.Table(
    "entry",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("key_id", sa.String(32), nullable=False),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=True),
    sa.Index("entry_kind", "kind", "seq"),
    sa.Index("entry_key", "key_id", "seq"),
)
"""One row per leaf; all but `data` and `leaf_hash` repeats the leaf's header, for finding it."""

TILE: Final = sa.Table(
    "tile",
    METADATA,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
    sa.Column("root", sa.LargeBinary(32), nullable=False),
)
"""Full tiles of 256 hashes, as in C2SP tlog-tiles; what is not full yet is read from what lies below."""

CHECKPOINT: Final = sa.Table(
    "checkpoint",
    METADATA,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
)
"""The newest checkpoint, and the last one of every 256 entries before it."""

PERSON_KEY: Final = sa.Table(
    "person_key",
    METADATA,
    sa.Column("key_id", sa.String(32), primary_key=True),
    sa.Column("subject", sa.String(64), nullable=True, unique=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=True),
)
"""A person's wrapped key; without subject and key once the person is erased."""

DATABASE_FILE: Final = "ledger.sqlite"
_BUSY_MS: Final = 30_000
_LOCK: Final = 0x70617468666F6C69
"""The advisory lock that one writer at a time holds in PostgreSQL."""

_LOCKED: Final = sa.text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('idle_in_transaction_session_timeout', :idle, true), "
    "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END, "
    "pg_advisory_xact_lock(:lock)"
)
"""Begins a transaction: alone, and on disk once it has ended, however the server is set up. Whoever holds the lock and
does nothing, as a machine that was cut off, loses it; whoever waits for it gives up."""

_IDLE_MS: Final = 120_000

_PATIENCE: Final = MappingProxyType({"connect_timeout": "10", "tcp_user_timeout": "30000"})
"""Seconds until a server that does not answer is given up, and milliseconds for one that stopped answering."""


@dataclass(frozen=True)
class LedgerDatabase:
    """An open database; `folder` holds its files (None: PostgreSQL).

    Attributes:
        was_there: whether it was before it was opened.
    """

    engine: sa.Engine
    where: str
    folder: Path | None
    inode: tuple[int, int] | None
    was_there: bool

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file rather than a server."""
        return self.folder is not None

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that no other writer shares; durable once it ends without an error.

        Raises:
            LedgerError: nothing was recorded; or the server went while it committed, and that cannot be told.
        """
        with mapped(self.where), self.engine.connect() as connection:
            connection.execution_options(ledger_begin="BEGIN IMMEDIATE")
            transaction = connection.begin()
            try:
                if not self.is_sqlite:
                    connection.execute(_LOCKED, {"wait": str(_BUSY_MS), "idle": str(_IDLE_MS), "lock": _LOCK})
                self._same_file()
                yield connection
                self._same_file()
            except BaseException:
                with contextlib.suppress(sa.exc.SQLAlchemyError):  # the first error is the one to tell
                    transaction.rollback()
                raise
            self._commit(transaction)

    def _commit(self, transaction: sa.RootTransaction) -> None:
        try:
            transaction.commit()
        except sa.exc.DBAPIError as error:
            if self.is_sqlite:
                raise
            text = " ".join(str(error.orig).split())
            remedy = "it may have been recorded, nothing may be shown: start the database and ask for the list again"
            raise LedgerError(f"{self.where}: {text}: {remedy}") from error

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view: what is written meanwhile is not in it."""
        with mapped(self.where), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            self._same_file()
            with connection.begin():
                yield connection

    def _same_file(self) -> None:
        """Refuse to write into a file that was deleted or replaced: the writes would go nowhere, without an error."""
        if self.folder is not None and _inode(self.folder / DATABASE_FILE) != self.inode:
            raise LedgerError(f"{self.where}: the ledger's file is gone or was replaced: restore it, then start again")

    def forget(self) -> None:
        """Leave no copy of what was just destroyed in SQLite's log; PostgreSQL's own goes with its next vacuum.

        Raises:
            LedgerError: somebody has been reading all the while; what was destroyed is, but for a copy in the log.
        """
        if self.is_sqlite:
            with mapped(self.where), self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection  # by which no transaction begins
                if driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    raise LedgerError(
                        f"{self.where}: done, but a copy is left in SQLite's log, which another process reads: end it, "
                        "then record anything"
                    )

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_store(location: str | Path, *, create: bool) -> LedgerDatabase:
    """Open the ledger at `location`: a folder, or a postgresql:// URL.

    Raises:
        LedgerError: it is not there and `create` is False, or it cannot be opened.
    """
    text = str(location)
    if text.startswith(("postgresql:", "postgres:", "postgresql+psycopg:")):
        return _open_postgres(text, create=create)
    if "://" in text:
        raise LedgerError(f"{text.partition(':')[0]}: not a kind of ledger: name a folder or a postgresql:// URL")
    return _open_sqlite(Path(location).expanduser(), create=create)


def _open_sqlite(folder: Path, *, create: bool) -> LedgerDatabase:
    path = folder / DATABASE_FILE
    was_there = path.exists()
    if not was_there:
        if not create:
            raise LedgerError(f"{folder}: no ledger here: set PATHFOLIO_LEDGER to its folder or database URL")
        with mapped(str(folder)):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    writable = os.access(folder, os.W_OK) and os.access(path, os.W_OK)
    if writable:  # what may only be read is a copy that somebody has handed over
        _check_closed(folder, path)
    engine = sa.create_engine(_sqlite_url(path, writable=writable), connect_args={"timeout": _BUSY_MS / 1000})
    if writable:
        sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    store = LedgerDatabase(engine, str(folder), folder, _inode(path), was_there)
    if create:
        with mapped(store.where), store.write() as connection:
            METADATA.create_all(connection)
    return store


def _check_closed(*paths: Path) -> None:
    """Refuse a ledger that other accounts of this machine can reach: it tells who asked what about whom.

    Raises:
        LedgerError: they can.
    """
    for path in paths:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & 0o077:
            raise LedgerError(f"{path}: others may reach this ledger (mode {mode & 0o777:o}): chmod go= {path}")


def sqlite_schema(connection: sa.Connection) -> dict[str, bytes]:
    """Table and index names to the statements that made them, as bytes."""
    found = connection.exec_driver_sql("SELECT CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_master")
    return {bytes(name).decode(errors="replace"): bytes(sql or b"") for name, sql in found}


def expected_sqlite_schema() -> dict[str, bytes]:
    """What `sqlite_schema` gives for a new ledger."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        METADATA.create_all(connection)
        return sqlite_schema(connection)


def _sqlite_url(path: Path, *, writable: bool) -> str:
    """The database's URL; a folder that cannot be written to is read as it lies there.

    Raises:
        LedgerError: it cannot be written to, and its last entries are still in SQLite's log.
    """
    if writable:
        return f"sqlite:///{path}"
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise LedgerError(
            f"{path.parent}: not writable, and its last entries are in {log.name}: copy the folder and open that"
        )
    return f"sqlite:///file:{quote(str(path))}?mode=ro&immutable=1&uri=true"


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin in _begin_sqlite, not when sqlite3 thinks they should
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("ledger_begin", "BEGIN"))


def _open_postgres(url: str, *, create: bool) -> LedgerDatabase:
    made = sa.make_url(url).set(drivername="postgresql+psycopg")
    where = made.render_as_string(hide_password=True)
    try:
        asked = {name: value for name, value in _PATIENCE.items() if name not in made.query}
        engine = sa.create_engine(made, pool_pre_ping=True, pool_size=4, max_overflow=12, connect_args=asked)
    except ModuleNotFoundError:
        raise LedgerError(f"{where}: PostgreSQL needs a driver: pip install 'pathfolio[postgres]'") from None
    with mapped(where), engine.connect() as connection:
        was_there = sa.inspect(connection).has_table(ENTRY.name)
    store = LedgerDatabase(engine, where, None, None, was_there)
    if create:
        with mapped(where), store.write() as connection:
            METADATA.create_all(connection)
    elif not was_there:
        raise LedgerError(f"{where}: no ledger in this database: set PATHFOLIO_LEDGER to the right one")
    return store


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def mapped(where: str) -> Iterator[None]:
    """Turn what the database and the file system raise into one line with a remedy."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        text = " ".join(str(error.orig).split())
        raise LedgerError(f"{where}: {text}: {_remedy(text)}") from error
    except sa.exc.SQLAlchemyError as error:
        raise LedgerError(f"{where}: {' '.join(str(error).split())[:200]}: nothing was recorded") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # while a connection is made ready
        text = " ".join(str(error).split())
        found = "malformed" if isinstance(error, UnicodeDecodeError) else text
        raise LedgerError(f"{where}: {text}: {_remedy(found)}") from error
    except OSError as error:
        raise LedgerError(f"{where}: {error.strerror}: {_remedy(str(error))}") from error


_REMEDIES: Final = (
    ("full", "make room; nothing was recorded"),
    ("No space", "make room; nothing was recorded"),
    ("readonly", "give this account the right to write there; nothing was recorded"),
    ("Read-only", "give this account the right to write there; nothing was recorded"),
    ("denied", "give this account the right to write there; nothing was recorded"),
    ("unable to open", "give this account the right to write there; nothing was recorded"),
    ("lock timeout", "another process holds the ledger: end it or wait; nothing was recorded"),
    ("locked", "another process holds the ledger: end it or wait; nothing was recorded"),
    ("not decode", "the file is damaged: restore it from a backup, then `pathfolio audit verify`"),
    ("malformed", "the file is damaged: restore it from a backup, then `pathfolio audit verify`"),
    ("not a database", "the file is damaged: restore it from a backup, then `pathfolio audit verify`"),
    ("connect", "start the database or correct PATHFOLIO_LEDGER; nothing was recorded"),
    ("resolve", "start the database or correct PATHFOLIO_LEDGER; nothing was recorded"),
    ("File exists", "set PATHFOLIO_LEDGER to a folder that can be written to; nothing was recorded"),
    ("No such file", "set PATHFOLIO_LEDGER to a folder that can be written to; nothing was recorded"),
    ("Not a directory", "set PATHFOLIO_LEDGER to a folder that can be written to; nothing was recorded"),
    ("no such table", "no ledger there: set PATHFOLIO_LEDGER to the right place"),
)


def _remedy(text: str) -> str:
    return next((remedy for word, remedy in _REMEDIES if word in text), "nothing was recorded")
