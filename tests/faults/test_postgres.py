"""A PostgreSQL server that is stopped, orderly or as by a crash, while many append, and started again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from pathfolio.explain.ledger import store
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.kg.errors import LedgerError
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.postgres import Server, connection_ended, own_server, server_stopped
from tests.noted import Noted

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as found:
        if found is None:
            pytest.skip("no PostgreSQL: install Debian's package postgresql")
        yield found


def wrong(figures: list[Measured]) -> list[str]:
    """What is not as it was asked for."""
    return [figure.line for figure in figures if figure.reference and figure.value != figure.reference_value]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_stopped_while_many_append(server: Server, mode: str) -> None:
    found = server_stopped(server, mode, rounds=1)
    assert wrong(found) == []
    assert all(figure.value > 0 for figure in found if not figure.reference)


def test_a_connection_ends_within_a_transaction(server: Server) -> None:
    assert wrong(connection_ended(server)) == []


def test_nobody_there(server: Server) -> None:
    with pytest.raises(LedgerError, match="start the database or correct PATHFOLIO_LEDGER; nothing was recorded"):
        open_ledger("postgresql://nobody:x@127.0.0.1:1/none", environ={})


def test_what_is_acknowledged_is_on_disk_whatever_the_server_s_settings(server: Server) -> None:
    url = f"{server.database()}?options=-csynchronous_commit%3Doff"
    ledger = open_ledger(url)
    with ledger.store.write() as connection:
        assert connection.execute(sa.text("SHOW synchronous_commit")).scalar() == "on"
    with ledger.store.read() as connection:
        assert connection.execute(sa.text("SHOW synchronous_commit")).scalar() == "off"
    ledger.close()


def test_who_holds_the_ledger_and_does_nothing_loses_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server that was cut off from the network, or stopped, within a transaction."""
    url = server.database()
    stopped, other = open_ledger(url), open_ledger(url)
    monkeypatch.setattr(store, "_IDLE_MS", 1000)
    with pytest.raises(LedgerError, match=r"nothing may be shown|nothing was recorded"), stopped.store.write():
        other.append(Noted(1), person="ann")
        other.append(Noted(2), person="ann")
    assert verify_ledger(other).sound
    stopped.append(Noted(3), person="ann")
    assert [other.size, verify_ledger(other).sound] == [4, True]
    monkeypatch.setattr(store, "_BUSY_MS", 300)
    monkeypatch.setattr(store, "_IDLE_MS", 120_000)
    with stopped.store.write(), pytest.raises(LedgerError, match="another process holds the ledger"):
        other.append(Noted(4), person="ann")
    other.append(Noted(5), person="ann")
    assert [other.size, verify_ledger(other).sound] == [5, True]
    for ledger in (stopped, other):
        ledger.close()
