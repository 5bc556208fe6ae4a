"""`Accounts`: who may sign in, in a database; passwords as argon2id, tokens as SHA-256 of random 256 bits."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pathfolio.kg.errors import PathfolioError, UsageError
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.token import USUAL_DAYS, ApiToken, end_of, scope_of

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024
TOKEN_PREFIX: Final = "pf_"  # noqa: S105 - what every token begins with, so that scanners find leaked ones
LONGEST_NAME: Final = 64
_NAME: Final = re.compile(rf"[\w.@+-]{{1,{LONGEST_NAME}}}")

_META: Final = sa.MetaData()
_ACCOUNTS: Final = sa.Table(
    "accounts",
    _META,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("investor_id", sa.String, nullable=True),
    sa.Column("password", sa.String, nullable=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("identity", sa.String(512), nullable=True),
)
_BY_IDENTITY: Final = sa.Index("accounts_identity", _ACCOUNTS.c.identity, unique=True)
_TOKENS: Final = sa.Table(
    "tokens",
    _META,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(64), sa.ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("scope", sa.String(200), nullable=False, server_default=""),
    sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
)
PENDING: Final = sa.Table(
    "pending",
    _META,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
)
_SETTINGS: Final = sa.Table(
    "settings", _META, sa.Column("key", sa.String(32), primary_key=True), sa.Column("value", sa.String, nullable=False)
)


@dataclass(frozen=True)
class Account:
    """Who may sign in.

    Attributes:
        investor_id: the investor whose pages an account of the role investor sees; None for all others.
        session: changes with the password; sessions that were begun before it are over.
        identity: the provider's address and what it calls the owner; None for those who sign in here.
    """

    name: str
    role: AccountRole
    investor_id: str | None
    enabled: bool
    session: str
    created: datetime
    identity: str | None = None


class AccountsError(PathfolioError):
    """The accounts could not be read or written."""


class Accounts:
    """The accounts of one site; several servers may share the database.

    Args:
        where: a file, made at first use with mode 0600, or a database URL.

    Raises:
        AccountsError: the database cannot be reached, which everything else here raises, too.
    """

    def __init__(self, where: Path | str) -> None:
        """Open the database and make its tables where they are absent."""
        self._engine = _engine(where)
        self._where = self._engine.url.database if self._engine.name == "sqlite" else repr(self._engine.url)
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())
        with self.begun() as connection:
            _META.create_all(connection)
            _add_columns(connection)
            _BY_IDENTITY.create(connection, checkfirst=True)

    # -- signing in ------------------------------------------------------------------------------------------

    def check(self, name: str, password: str) -> Account | None:
        """The enabled account with this name and password, or None; an unknown name takes as long as a known one."""
        row = self._row(name)
        stored = row.password if row is not None and row.password else self._nobody
        try:
            self._hasher.verify(stored, password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return None
        if row is None or not row.enabled:
            return None
        if self._hasher.check_needs_rehash(stored):
            self._update(name, password=self._hasher.hash(password))
        return _account(row)

    def token(self, token: str) -> tuple[Account, ApiToken] | None:
        """The enabled account that this API token belongs to, with what the token may do; None once it is over."""
        with self.begun() as connection:
            row = connection.execute(sa.select(_TOKENS).where(_TOKENS.c.sha256 == _digest(token))).first()
        account = None if row is None else self.find(row.account)
        if account is None or not account.enabled or (found := ApiToken.of_row(row)).is_over(datetime.now(UTC)):
            return None
        return account, found

    def find(self, name: str) -> Account | None:
        """The account with this name, or None."""
        row = self._row(name)
        return None if row is None else _account(row)

    def of_identity(self, identity: str) -> Account | None:
        """The account of whom a provider calls so, or None."""
        with self.begun() as connection:
            row = connection.execute(sa.select(_ACCOUNTS).where(_ACCOUNTS.c.identity == identity)).first()
        return None if row is None else _account(row)

    def is_taken(self, name: str) -> bool:
        """Whether there is an account of this name, in whichever case: people take one for the other."""
        return name.casefold() in {account.name.casefold() for account in self}

    # -- keeping accounts ------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        role: AccountRole,
        password: str | None,
        investor_id: str | None = None,
        identity: str | None = None,
    ) -> Account:
        """A new account; without a password or an identity at a provider it can be used by tokens alone.

        Raises:
            UsageError: the name is taken or no name, the password is too short, or an investor is missing.
        """
        if not is_account_name(name):
            raise UsageError(f"{name!r} is no account name: use up to 64 letters, digits and . @ + - _")
        if (role is AccountRole.INVESTOR) != (investor_id is not None):
            raise UsageError("an account of the role investor, and only that, names an investor: see --investor")
        values = {
            "name": name,
            "role": role.value,
            "investor_id": investor_id,
            "password": None if password is None else self._hashed(password),
            "enabled": True,
            "session": secrets.token_hex(16),
            "created": datetime.now(UTC),
            "identity": identity,
        }
        try:
            with self.begun() as connection:
                connection.execute(_ACCOUNTS.insert().values(**values))
        except IntegrityError:
            raise UsageError(f"there is an account {name!r} already: choose another name, or remove it") from None
        return self._known(name)

    def assign(self, name: str, role: AccountRole, investor_id: str | None) -> Account:
        """Give an account another role, or another investor's pages; its sessions have them from now on."""
        self._update(name, role=role.value, investor_id=investor_id)
        return self._known(name)

    def end_sessions(self, name: str) -> None:
        """Sign an account out, wherever it is signed in: a copy of a session's cookie is of no use after that."""
        self._update(name, session=secrets.token_hex(16))

    def set_password(self, name: str, password: str) -> None:
        """Change the password; whoever is signed in with the old one is signed out.

        Raises:
            UsageError: it is too short, or the account's owner signs in at a provider, whose second factor it would
                go around.
        """
        if self._known(name).identity is not None:
            raise UsageError(f"{name!r} signs in at a provider and has no password here: change it there")
        self._update(name, password=self._hashed(password), session=secrets.token_hex(16))

    def enable(self, name: str, enabled: bool) -> None:
        """Let an account sign in, or not any more; its sessions and tokens end at once."""
        self._known(name)
        self._update(name, enabled=enabled, session=secrets.token_hex(16))

    def remove(self, name: str) -> None:
        """Remove an account and its tokens."""
        self._known(name)
        with self.begun() as connection:
            connection.execute(_TOKENS.delete().where(_TOKENS.c.account == name))
            connection.execute(_ACCOUNTS.delete().where(_ACCOUNTS.c.name == name))

    def new_token(self, name: str, note: str = "", scope: Sequence[str] = (), days: int = USUAL_DAYS) -> str:
        """A token for the API, shown once and kept as a digest only.

        Args:
            scope: permissions that it has, of those of its account's role; all of them where none is named.
            days: that it lives.

        Raises:
            UsageError: there is no such account, its role has no such permission, or the days are too many.
        """
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        granted = ",".join(sorted(scope_of(self._known(name).role, list(scope))))
        values = {"sha256": _digest(token), "account": name, "note": note[:200], "created": now, "scope": granted}
        values["expires"] = end_of(days, now)
        with self.begun() as connection:
            connection.execute(_TOKENS.insert().values(**values))
        return token

    def tokens(self, name: str) -> list[ApiToken]:
        """The tokens of an account, the oldest first."""
        self._known(name)
        query = sa.select(_TOKENS).where(_TOKENS.c.account == name).order_by(_TOKENS.c.created, _TOKENS.c.sha256)
        with self.begun() as connection:
            return [ApiToken.of_row(row) for row in connection.execute(query)]

    def revoke(self, name: str, token_id: str) -> None:
        """Make one token of an account invalid; raises UsageError where it has none of that id."""
        if token_id not in {token.id for token in self.tokens(name)}:
            raise UsageError(f"account {name!r} has no token {token_id!r}: see `pathfolio accounts tokens {name}`")
        with self.begun() as connection:
            is_it = sa.and_(_TOKENS.c.account == name, sa.func.substr(_TOKENS.c.sha256, 1, len(token_id)) == token_id)
            connection.execute(_TOKENS.delete().where(is_it))

    def drop_tokens(self, name: str) -> int:
        """Make all tokens of an account invalid; returns how many there were."""
        self._known(name)
        with self.begun() as connection:
            return connection.execute(_TOKENS.delete().where(_TOKENS.c.account == name)).rowcount

    def __iter__(self) -> Iterator[Account]:
        with self.begun() as connection:
            rows = connection.execute(sa.select(_ACCOUNTS).order_by(_ACCOUNTS.c.name)).all()
        return iter([_account(row) for row in rows])

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None

    def session_key(self) -> str:
        """What sessions are signed with: the same for all servers that share the database, and after a restart."""
        query = sa.select(_SETTINGS.c.value).where(_SETTINGS.c.key == "session_key")
        try:
            with self.begun() as connection:
                value = connection.execute(query).scalar()
                if value is None:
                    value = secrets.token_hex(32)
                    connection.execute(_SETTINGS.insert().values(key="session_key", value=value))
        except IntegrityError:  # another server was a moment faster
            with self.begun() as connection:
                value = connection.execute(query).scalar_one()
        return str(value)

    # --------------------------------------------------------------------------------------------------------

    def _hashed(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise UsageError(f"a password has {SHORTEST_PASSWORD} characters at least: choose a longer one")
        return self._hasher.hash(password)

    def _known(self, name: str) -> Account:
        account = self.find(name)
        if account is None:
            raise UsageError(f"no account {name!r}: see `pathfolio accounts list`")
        return account

    @contextmanager
    def begun(self) -> Iterator[sa.Connection]:
        """A transaction."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            found = " ".join(str(getattr(error, "orig", None) or error).split())
            remedy = "give this account the right to write there" if "readonly" in found else "see to the database"
            raise AccountsError(f"{self._where}: accounts cannot be read or written ({found}): {remedy}") from None

    def _row(self, name: str) -> sa.Row[Any] | None:
        if not is_account_name(name):
            return None
        with self.begun() as connection:
            return connection.execute(sa.select(_ACCOUNTS).where(_ACCOUNTS.c.name == name)).first()

    def _update(self, name: str, **values: object) -> None:
        with self.begun() as connection:
            connection.execute(_ACCOUNTS.update().where(_ACCOUNTS.c.name == name).values(**values))


def is_account_name(text: str) -> bool:
    """Whether an account can be called so: up to 64 letters, digits and . @ + - _

    >>> is_account_name("ann@example.com"), is_account_name("a b")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def _add_columns(connection: sa.Connection) -> None:
    """Add what tables of before lack: then tokens had all that their account may, and no end."""
    for table, name, kind in (
        (_TOKENS.name, "scope", "VARCHAR(200) NOT NULL DEFAULT ''"),
        (_TOKENS.name, "expires", "TIMESTAMP WITH TIME ZONE"),
        (_ACCOUNTS.name, "identity", "VARCHAR(512)"),
    ):
        if name not in {column["name"] for column in sa.inspect(connection).get_columns(table)}:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def _engine(where: Path | str) -> sa.Engine:
    if isinstance(where, str) and "://" in where:
        return _server_engine(where)
    if str(where) == ":memory:":
        return sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    path = Path(where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise AccountsError(f"{path}: accounts cannot be kept here ({error.strerror}): name another file") from None
    return sa.create_engine(f"sqlite:///{path}")


def _server_engine(where: str) -> sa.Engine:
    kind = where.partition(":")[0]
    try:
        url = sa.make_url(where)
        if kind in {"postgresql", "postgres"}:
            url = url.set(drivername="postgresql+psycopg")
        return sa.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise AccountsError(f"{kind}: accounts need a driver for it: pip install 'pathfolio[postgres]'") from None
    except (SQLAlchemyError, ValueError):
        raise AccountsError(f"{kind}: accounts cannot be kept there: name a file or a postgresql:// URL") from None


def _account(row: sa.Row[Any]) -> Account:
    role = AccountRole(row.role)
    return Account(row.name, role, row.investor_id, bool(row.enabled), row.session, row.created, row.identity)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
