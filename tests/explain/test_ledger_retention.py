"""What has outlived its retention: told first, deleted by two, never on one clock's word, and not under a hold."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import EXPIRY, EXPIRY_PROPOSAL
from pathfolio.explain.ledger.retention import confirm_expiry, due, propose_expiry
from pathfolio.explain.ledger.store import ENTRY
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.records.uses import QueryUse, note_use
from pathfolio.kg.errors import LedgerError, UsageError
from tests.explain.ledger_world import (
    PLACES,
    Clock,
    entry_of,
    expire,
    fill,
    new_clock,
    newly_opened,
    opener,
    place,
    record,
)

location = pytest.fixture(params=PLACES)(place)
clock = pytest.fixture(new_clock)
opened = pytest.fixture(opener)
ledger = pytest.fixture(newly_opened)

YEARS = 2560
"""Days, a little more than records are kept."""


def lived(ledger: Ledger, clock: Clock, days: int = YEARS, step: int = 20) -> None:
    """A ledger that is used: an entry every so many days."""
    for _ in range(days // step):
        clock.now += timedelta(days=step)
        ledger.append(record(0), person="somebody")


def proposed(ledger: Ledger, **options: Any) -> str:
    return propose_expiry(ledger, who="clerk", reason="yearly", **options)[0].id


def readable(ledger: Ledger, names: list[str]) -> list[bool]:
    there = {header.id for header in ledger.headers()}
    return [name in there for name in names]


def test_retention_deletes_content_and_keeps_the_proof(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 5)
    custody.hold(ledger, record=names[4], who="counsel", reason="case 1")
    clock.now += timedelta(days=YEARS)
    young = ledger.append(record(9), person="investor 1")
    assert expire(ledger) == 4
    with pytest.raises(LedgerError, match="deleted when its retention ended"):
        ledger.read_text(names[0], who="clerk", purpose="test")
    assert json.loads(ledger.read_text(names[4], who="clerk", purpose="test")) == record(4)
    assert json.loads(ledger.read_text(young.id, who="clerk", purpose="test")) == record(9)
    found = verify_ledger(ledger)
    assert (found.sound, found.expired) == (True, 4)


def test_a_ledger_that_lived_so_long_is_believed(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 5)
    assert due(ledger).headers == ()
    lived(ledger, clock)
    found = due(ledger)
    assert [header.id for header in found.headers] == names[::-1]
    assert (found.held, found.doubted) == (0, 0)
    assert confirm_expiry(ledger, proposed(ledger), who="officer") == 5
    assert verify_ledger(ledger).sound
    assert due(ledger).headers == ()


def test_a_clock_eight_years_ahead_deletes_nothing(ledger: Ledger, clock: Clock) -> None:
    """Neither at once, nor after entries were written by it, nor after it was set right."""
    fill(ledger, 88)
    clock.now += timedelta(days=8 * 365)
    assert (len(due(ledger).headers), due(ledger).doubted) == (0, 88)
    with pytest.raises(UsageError, match="nothing is due"):
        proposed(ledger)
    ledger.append(record(1), person="ann")
    assert len(due(ledger).headers) == 0
    clock.now -= timedelta(days=8 * 365)
    custody.accept_clock(ledger, who="admin", reason="battery")
    fill(ledger, 3)
    clock.now += timedelta(days=8 * 365)
    assert len(due(ledger).headers) == 0
    with pytest.raises(UsageError, match=r"--today 2035-01-01: the clock shows 2034-06-28: name a day that is not"):
        due(ledger, date(2035, 1, 1))
    assert len(due(ledger, date(2027, 1, 1)).headers) == 0
    assert len(ledger.headers(kinds=["recommendation"])) == 92


def test_silence_is_judged_by_a_day_that_both_name(ledger: Ledger, clock: Clock) -> None:
    fill(ledger, 5)
    clock.now += timedelta(days=YEARS)
    today = clock.now.date()
    name = proposed(ledger, today=today, at_most=5)
    for other in (None, today - timedelta(days=1)):
        with pytest.raises(UsageError, match=f"names the day {today}: if that is right, say --today {today}"):
            confirm_expiry(ledger, name, who="officer", today=other)
    assert confirm_expiry(ledger, name, who="officer", today=today) == 5


def test_what_expired_was_no_silence(ledger: Ledger, clock: Clock) -> None:
    """A held record is old enough once it is released, though its neighbours' times went with them."""
    name = fill(ledger, 1)[0]
    held = custody.hold(ledger, record=name, who="counsel", reason="case 1")
    lived(ledger, clock, 400)
    lived(ledger, clock)
    assert confirm_expiry(ledger, proposed(ledger, at_most=50), who="officer") > 15
    assert readable(ledger, [name]) == [True]
    custody.release(ledger, held.id, who="counsel", reason="settled")
    assert [header.id for header in due(ledger).headers] == [name]


def test_it_takes_two(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 5)
    lived(ledger, clock)
    name = proposed(ledger)
    with pytest.raises(LedgerError, match="clerk proposed it: somebody else has to confirm it"):
        confirm_expiry(ledger, name, who="clerk")
    assert all(readable(ledger, names))
    assert confirm_expiry(ledger, name, who="officer") == 5
    said = entry_of(ledger, ledger.headers(kinds=[EXPIRY])[0].id)
    assert (said["who"], said["proposed_by"], said["proposal"], len(said["gone"])) == ("officer", "clerk", name, 5)
    asked = entry_of(ledger, ledger.headers(kinds=[EXPIRY_PROPOSAL])[0].id)
    assert asked == {"who": "clerk", "reason": "yearly", "count": 5, "places": [[1, 5]]}
    with pytest.raises(UsageError, match="nothing of proposal"):
        confirm_expiry(ledger, name, who="officer")
    with pytest.raises(UsageError, match="is an entry of kind expiry:"):
        confirm_expiry(ledger, ledger.headers(kinds=[EXPIRY])[0].id, who="officer")


def test_a_proposal_goes_out_of_date(ledger: Ledger, clock: Clock) -> None:
    fill(ledger, 5)
    lived(ledger, clock)
    name = proposed(ledger)
    clock.now += timedelta(days=31)
    with pytest.raises(LedgerError, match="after 30 days propose it anew"):
        confirm_expiry(ledger, name, who="officer")


def test_what_became_due_since_is_not_confirmed_with_it(ledger: Ledger, clock: Clock) -> None:
    fill(ledger, 5)
    clock.now += timedelta(days=20)
    later = fill(ledger, 2)
    lived(ledger, clock, YEARS - 20)
    name = proposed(ledger)
    clock.now += timedelta(days=20)
    assert len(due(ledger).headers) == 7
    assert confirm_expiry(ledger, name, who="officer") == 5
    assert readable(ledger, later) == [True, True]


def test_many_at_once_are_meant_or_refused(ledger: Ledger, clock: Clock) -> None:
    fill(ledger, 88)
    lived(ledger, clock)
    with pytest.raises(LedgerError, match=r"88 of 217 entries would be deleted, more than a tenth .* --at-most 88"):
        proposed(ledger)
    with pytest.raises(LedgerError, match="more than --at-most 87"):
        proposed(ledger, at_most=87)
    assert confirm_expiry(ledger, proposed(ledger, at_most=88), who="officer") == 88


def test_who_looked_at_a_held_person_is_kept(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 3)
    for name in names:
        ledger.read_text(name, who="clerk", purpose=f"look at {name}")
    looks = [header.id for header in reversed(ledger.headers(kinds=["access"]))]
    at_look = ledger.note_look([looks[1]], who="auditor", purpose="who looked?").id
    query = note_use(ledger, QueryUse(who="ann", query="MATCH (u:User) RETURN u", parameters="{}", lines="", format=""))
    held = custody.hold(ledger, person="investor 1", who="counsel", reason="case 1")
    lived(ledger, clock)
    assert confirm_expiry(ledger, proposed(ledger), who="officer") == 4
    assert readable(ledger, [*names, *looks]) == [False, True, False, False, True, False]
    assert readable(ledger, [at_look, query.id]) == [True, True]
    custody.release(ledger, held.id, who="counsel", reason="settled")
    assert confirm_expiry(ledger, proposed(ledger), who="officer") == 4
    assert verify_ledger(ledger).sound


def test_who_asked_cannot_be_erased_while_a_hold_is_in_force(ledger: Ledger) -> None:
    """Queries are sealed with the key of the account that asked: with it went what they may have shown."""
    (name,) = fill(ledger, 1)
    note_use(ledger, QueryUse(who="ann", query="MATCH (u:User) RETURN u", parameters="{}", lines="", format=""))
    held = custody.hold(ledger, record=name, who="counsel", reason="case 1")
    erase = partial(custody.erase, ledger, "account ann", who="dpo", reason="left", despite_retention=True)
    with pytest.raises(LedgerError, match=rf"it tells who looked while holds are in force \({held.id}\): release"):
        erase()
    custody.release(ledger, held.id, who="counsel", reason="settled")
    erase()
    assert verify_ledger(ledger).sound


def test_a_hold_that_comes_after_the_proposal(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 3)
    lived(ledger, clock)
    name = proposed(ledger)
    custody.hold(ledger, record=names[1], who="counsel", reason="case 1")
    assert due(ledger).held == 1
    assert confirm_expiry(ledger, name, who="officer") == 2
    assert readable(ledger, names) == [False, True, False]


def test_a_proposal_needs_its_reason(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="needs its reason"):
        propose_expiry(ledger, who="clerk", reason=" ")


def test_nothing_expires_from_a_ledger_whose_times_were_altered(ledger: Ledger, clock: Clock) -> None:
    fill(ledger, 5)
    lived(ledger, clock)
    name = proposed(ledger)
    with ledger.store.write() as connection:
        connection.execute(sa.update(ENTRY).where(ENTRY.c.seq == 9).values(time="yesterday"))
    for act in (due, partial(confirm_expiry, proposal_id=name, who="officer")):
        with pytest.raises(LedgerError, match="its header was altered: `pathfolio audit verify` tells more"):
            act(ledger)
