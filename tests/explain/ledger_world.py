"""Ledgers to try: an empty place in SQLite and one in PostgreSQL, a clock that the test sets, and records for them.

Each test file makes fixtures of `place`, `new_clock`, `opener` and `newly_opened`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pathfolio.explain.ledger.keys import MASTER_VARIABLE, SIGNING_VARIABLE
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.retention import confirm_expiry, propose_expiry

START = datetime(2026, 6, 30, 8, 0, tzinfo=UTC)


class Clock:
    """A clock that the test sets; each look at it is a second later."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def entry_of(ledger: Ledger, record_id: str) -> Any:
    """What an entry says, as JSON values; the look is not recorded."""
    return json.loads(ledger.opened(ledger.leaf(record_id)))


def secret(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


KEYS = {SIGNING_VARIABLE: secret("s"), MASTER_VARIABLE: secret("m")}

Opener = Callable[..., Ledger]


PLACES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place for a ledger."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger")
        return
    url = os.environ.get("PATHFOLIO_TEST_POSTGRES")
    if not url:
        pytest.skip('no PostgreSQL: eval "$(tests/postgres/start.sh)"')
    name = f"ledger_{os.urandom(6).hex()}"
    admin = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def new_clock() -> Clock:
    return Clock()


def opener(location: str, clock: Clock) -> Iterator[Opener]:
    """Opens the same ledger as often as one likes."""
    made: list[Ledger] = []

    def again(**options: Any) -> Ledger:
        made.append(open_ledger(location, clock=clock, environ=KEYS, **options))
        return made[-1]

    yield again
    for ledger in made:
        ledger.close()


def newly_opened(opened: Opener) -> Ledger:
    return opened()


def expire(ledger: Ledger) -> int:
    """What is old by the clock, deleted by two people who trust it."""
    today = ledger.clock().date()
    proposal, _ = propose_expiry(ledger, who="clerk", reason="yearly", today=today, at_most=ledger.size)
    return confirm_expiry(ledger, proposal.id, who="officer", today=today)


def record(number: int) -> dict[str, Any]:
    return {"number": number, "name": "台積電", "score": number / 7}


def fill(ledger: Ledger, count: int) -> list[str]:
    records: list[tuple[Any, str | None]] = [(record(number), f"investor {number % 5}") for number in range(count)]
    return [receipt.id for receipt in ledger.append_many(records)]
