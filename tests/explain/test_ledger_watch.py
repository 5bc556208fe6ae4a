"""A ledger that is older than what this machine last saw of it is refused until somebody says why."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.mark import Mark, Seen
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.payloads import RESTORE
from pathfolio.explain.ledger.store import METADATA
from pathfolio.explain.ledger.verify import verify_ledger, with_mark
from pathfolio.kg.errors import LedgerError, UsageError
from tests.explain.ledger_world import (
    KEYS,
    PLACES,
    Clock,
    Opener,
    entry_of,
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

Backup = Callable[[], None]


def backup(ledger: Ledger) -> Backup:
    """Keeps all rows as they are now; what it returns puts them back."""
    with ledger.store.read() as connection:
        kept = {table: connection.execute(sa.select(table)).mappings().all() for table in METADATA.sorted_tables}

    def put_back() -> None:
        with ledger.store.write() as connection:
            for table, rows in kept.items():
                connection.execute(sa.delete(table))
                if rows:
                    connection.execute(sa.insert(table), [dict(row) for row in rows])

    return put_back


def test_an_older_backup_is_refused(ledger: Ledger, opened: Opener) -> None:
    fill(ledger, 300)
    put_back = backup(ledger)
    fill(ledger, 7)
    put_back()
    with pytest.raises(LedgerError, match=r"301 entries, while this machine has seen 308: .* audit restored --reason"):
        opened()
    reader = opened(create=False)
    for each in (reader, ledger):  # one that has just come, and one that was running all the while
        with pytest.raises(LedgerError, match=r"has seen 308: .*; nothing was recorded"):
            each.append(record(1), person="ann")
    assert verify_ledger(reader).sound
    found = with_mark(reader, verify_ledger(reader))
    assert [finding.problem[:53] for finding in found.findings] == [
        "301 entries, while this machine has seen 308: the fil" if ledger.store.is_sqlite
        else "301 entries, while this machine has seen 308: an olde"
    ]  # fmt: skip


def test_a_restore_that_is_meant_is_recorded(ledger: Ledger, opened: Opener) -> None:
    fill(ledger, 5)
    with pytest.raises(UsageError, match="nothing to accept: the ledger has all that this account has seen"):
        custody.accept_restore(ledger, who="admin", reason="test")
    put_back = backup(ledger)
    fill(ledger, 7)
    lost = ledger.checkpoint()
    put_back()
    admin = opened(create=False)
    with pytest.raises(UsageError, match="needs its reason"):
        custody.accept_restore(admin, who="admin", reason="")
    custody.accept_restore(admin, who="admin", reason="disk failed")
    [header] = admin.headers(kinds=[RESTORE])
    assert entry_of(admin, header.id) == {"who": "admin", "reason": "disk failed", "size": 13, "lost": lost}
    for each in (admin, ledger, opened()):
        each.append(record(1), person="ann")
    assert ledger.size == 6 + 1 + 3
    assert with_mark(ledger, verify_ledger(ledger)).sound
    again = backup(ledger)
    fill(ledger, 1)
    again()
    with pytest.raises(LedgerError, match="10 entries, while this machine has seen 11"):
        opened()


def test_an_accepted_restore_lets_nobody_go_back_to_it_again(ledger: Ledger, opened: Opener) -> None:
    fill(ledger, 5)
    put_back = backup(ledger)
    fill(ledger, 20)
    put_back()
    custody.accept_restore(opened(create=False), who="admin", reason="disk failed")
    after = backup(ledger)
    fill(ledger, 4)
    after()
    with pytest.raises(LedgerError, match="7 entries, while this machine has seen 11"):
        opened()


def test_another_server_s_mark_follows_what_was_accepted(
    location: str, clock: Clock, tmp_path: Path, opened: Opener
) -> None:
    """Each server has seen something of its own; the entry tells all whose part of it was lost."""
    one = open_ledger(location, clock=clock, environ=KEYS, marks=tmp_path / "one")
    fill(one, 5)
    put_back = backup(one)
    two = open_ledger(location, clock=clock, environ=KEYS, marks=tmp_path / "two")
    fill(two, 2)
    fill(one, 2)
    put_back()
    custody.accept_restore(one, who="admin", reason="disk failed")
    fill(one, 9)
    two.append(record(1), person="ann")
    assert two.size == 6 + 1 + 9 + 1
    for each in (one, two):
        each.close()


def test_another_history_of_the_same_length_is_refused(ledger: Ledger, opened: Opener, tmp_path: Path) -> None:
    fill(ledger, 5)
    put_back = backup(ledger)
    fill(ledger, 3)
    put_back()
    thief = opened(marks=tmp_path / "thief")
    fill(thief, 3)
    for act in (opened, lambda: ledger.append(record(1), person="ann")):
        with pytest.raises(LedgerError, match="it does not begin with the 9 entries that this machine has seen"):
            act()
    assert verify_ledger(thief).sound


def test_it_is_compared_while_others_append(ledger: Ledger, opened: Opener) -> None:
    """What they append after the ledger was looked at is in the mark, and is nothing that is missing."""
    fill(ledger, 3)
    writer, over = opened(), threading.Event()

    def work() -> None:
        while not over.is_set():
            fill(writer, 1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert {ledger.watch.problem() for _ in range(200)} == {""}
    finally:
        over.set()
        thread.join()


def test_a_mark_never_goes_back_by_itself(ledger: Ledger, tmp_path: Path) -> None:
    notes = []
    for size in (2, 3, 4):
        fill(ledger, 1)
        notes.append((ledger.checkpoint(), size))
    mark = Mark(tmp_path / "deep" / "a.mark")
    assert mark.seen is None
    for at in (1, 0, 2, 1):
        mark.raise_to(Seen(*notes[at]))
    newest = Seen(*notes[2])
    assert mark.seen == newest
    assert mark.path.stat().st_mode & 0o777 == 0o600
    whole = mark.path.read_bytes()
    place = 1024 * (Seen.unpacked(whole[1024:]) == newest)
    for cut in (5, 100, 200):  # a write that was cut off
        mark.path.write_bytes(whole[: place + cut] + b"\0" * (1024 - cut) + whole[place + 1024 :])
        assert mark.seen == Seen(*notes[1])
    mark.path.write_bytes(b"\xff" * 2048)
    assert mark.seen is None
    mark.raise_to(Seen(*notes[0], 7, 1))
    assert mark.seen == Seen(*notes[0], 7, 1)
    mark.replace(Seen(*notes[0]))
    assert mark.seen == Seen(*notes[0])


def test_marks_that_cannot_be_kept_are_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, location: str, clock: Clock
) -> None:
    (tmp_path / "file").write_text("in the way")
    ledger = open_ledger(location, clock=clock, environ=KEYS, marks=tmp_path / "file" / "marks")
    fill(ledger, 3)
    fill(ledger, 3)
    told = [found.getMessage() for found in caplog.records]
    assert len(told) == 1
    assert "set PATHFOLIO_LEDGER_MARKS to a folder that can be written to" in told[0]
    ledger.close()


def test_a_ledger_is_begun_anew_where_one_was_deleted(tmp_path: Path) -> None:
    for _ in range(2):
        ledger = open_ledger(tmp_path / "ledger", environ={})
        fill(ledger, 3)
        assert ledger.size == 4
        ledger.close()
        shutil.rmtree(tmp_path / "ledger")


def test_another_ledger_in_its_place_is_refused(tmp_path: Path) -> None:
    """Begun anew elsewhere and moved here, it is sound in itself."""
    place, other = tmp_path / "ledger", tmp_path / "other"
    for folder, count in ((place, 3), (other, 8)):
        ledger = open_ledger(folder, environ={})
        fill(ledger, count)
        ledger.close()
    shutil.rmtree(place)
    other.rename(place)
    with pytest.raises(LedgerError, match=r"it does not begin with the 4 entries .* another ledger, took its place"):
        open_ledger(place, environ={})
    ledger = open_ledger(place, environ={}, create=False)
    with pytest.raises(LedgerError, match="another ledger, took its place"):
        ledger.append(record(1), person="ann")
    assert not with_mark(ledger, verify_ledger(ledger)).sound
    custody.accept_restore(ledger, who="admin", reason="moved")
    ledger.append(record(1), person="ann")
    assert with_mark(ledger, verify_ledger(ledger)).sound
    open_ledger(place, environ={}).close()
    ledger.close()
