"""Custody of a ledger: holds, erasure, retention, changes of key, a wrong clock, and its key files."""

from __future__ import annotations

import json
import stat
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pathfolio.explain.ledger import custody, opening, writer
from pathfolio.explain.ledger import ledger as reading
from pathfolio.explain.ledger.held import holds
from pathfolio.explain.ledger.keys import MASTER_VARIABLE, NEXT_VARIABLE, SIGNING_VARIABLE, SigningKey
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.store import PERSON_KEY
from pathfolio.explain.ledger.verify import verify_ledger, verify_record
from pathfolio.kg.errors import LedgerError, UsageError
from tests.explain.ledger_world import (
    KEYS,
    PLACES,
    START,
    Clock,
    Opener,
    fill,
    new_clock,
    newly_opened,
    opener,
    place,
    record,
    secret,
)

location = pytest.fixture(params=PLACES)(place)
clock = pytest.fixture(new_clock)
opened = pytest.fixture(opener)
ledger = pytest.fixture(newly_opened)


def test_erasure_destroys_what_can_be_read_and_nothing_else(ledger: Ledger) -> None:
    names = fill(ledger, 10)
    custody.erase(ledger, "investor 1", who="dpo", reason="Art. 17 request", despite_retention=True)
    with pytest.raises(LedgerError, match="its key was destroyed"):
        ledger.read_text(names[1], who="clerk", purpose="test")
    assert json.loads(ledger.read_text(names[2], who="clerk", purpose="test")) == record(2)
    found = verify_ledger(ledger)
    assert (found.sound, found.erased) == (True, 2)
    assert verify_record(ledger, names[1]) is None
    with pytest.raises(UsageError, match="nothing is recorded of 'investor 1'"):
        custody.erase(ledger, "investor 1", who="dpo", reason="again")
    again = ledger.append(record(3), person="investor 1")  # a new customer, with a new key
    assert ledger.headers(person="investor 1")[0].id == again.id


def test_erasure_waits_for_retention_and_holds(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 5)
    with pytest.raises(LedgerError, match="records must be kept until 2033-06-30"):
        custody.erase(ledger, "investor 1", who="dpo", reason="request")
    clock.now += timedelta(days=2560)
    held = custody.hold(ledger, person="investor 1", who="counsel", reason="case 12")
    with pytest.raises(LedgerError, match="case 12"):
        custody.erase(ledger, "investor 1", who="dpo", reason="request", despite_retention=True)
    on_record = custody.hold(ledger, record=names[2], who="counsel", reason="case 13")
    with pytest.raises(LedgerError, match="case 13"):
        custody.erase(ledger, "investor 2", who="dpo", reason="request", despite_retention=True)
    assert len(holds(ledger)) == 2
    custody.release(ledger, held.id, who="counsel", reason="settled")
    with pytest.raises(LedgerError, match=r"old enough by this machine's clock alone \(2033-07-03\): wait, or give"):
        custody.erase(ledger, "investor 1", who="dpo", reason="request")
    custody.erase(ledger, "investor 1", who="dpo", reason="request", despite_retention=True)
    with pytest.raises(UsageError, match="no hold in force"):
        custody.release(ledger, held.id, who="counsel", reason="twice")
    assert [header.id for header, _ in holds(ledger)] == [on_record.id]
    assert verify_ledger(ledger).sound


def test_change_of_key(opened: Opener, location: str, clock: Clock) -> None:
    ledger = opened()
    old = ledger.verifiers[0]
    fill(ledger, 3)
    new = custody.rotate_key(ledger, who="admin", reason="yearly", new=SigningKey(b"n" * 32))
    fill(ledger, 3)
    assert [v.public for v in ledger.verifiers] == [old.public, new.verifier("").public]
    found = verify_ledger(ledger, trusted=[old])
    assert (found.sound, len(found.keys)) == (True, 2)
    with pytest.raises(LedgerError, match="this ledger is signed by"):
        opened().append(record(1), person="ann")  # whoever still has the old key
    after = open_ledger(location, clock=clock, environ={**KEYS, SIGNING_VARIABLE: secret("n")})
    after.append(record(1), person="ann")
    assert verify_ledger(after).sound
    after.close()


def test_servers_that_know_the_next_key_go_on_when_it_signs(opened: Opener, location: str, clock: Clock) -> None:
    alone = opened()
    with pytest.raises(LedgerError, match=r"set PATHFOLIO_LEDGER_NEXT_KEY .* here and for every server"):
        custody.rotate_key(alone, who="admin", reason="yearly")
    both = {**KEYS, NEXT_VARIABLE: secret("n")}
    servers = [open_ledger(location, clock=clock, environ=both) for _ in range(2)]
    fill(servers[0], 2)
    admin = open_ledger(location, clock=clock, environ=both)
    custody.rotate_key(admin, who="admin", reason="yearly")
    servers.append(open_ledger(location, clock=clock, environ=both))  # started again before its variables changed
    for server in (*servers, admin, *servers):
        fill(server, 1)
    found = verify_ledger(admin)
    assert (found.sound, len(found.keys), found.size) == (True, 2, 1 + 2 + 1 + 7)
    after = open_ledger(location, clock=clock, environ={**both, SIGNING_VARIABLE: secret("n")})
    with pytest.raises(LedgerError, match="has signed this ledger before"):
        custody.rotate_key(after, who="admin", reason="again, by mistake")
    for ledger in (*servers, admin, after):
        ledger.close()


def test_a_server_with_another_master_key_is_refused(opened: Opener, location: str, clock: Clock) -> None:
    """What it sealed, nobody else could open; and who erases a person elsewhere would not find it."""
    another = {**KEYS, MASTER_VARIABLE: secret("x")}
    early = open_ledger(location, clock=clock, environ=another)  # before anybody is in the ledger
    ledger = opened()
    fill(ledger, 3)
    late = open_ledger(location, clock=clock, environ=another, create=False)
    for wrong in (early, late):
        with pytest.raises(LedgerError, match=r"set PATHFOLIO_LEDGER_MASTER_KEY .*; nothing was recorded"):
            wrong.append(record(1), person="ann")
        wrong.close()
    with pytest.raises(LedgerError, match="this master key does not open it"):
        open_ledger(location, clock=clock, environ=another)
    with ledger.store.write() as connection:  # one damaged row stops nobody
        first = connection.execute(sa.select(PERSON_KEY.c.key_id).limit(1)).scalar_one()
        connection.execute(sa.update(PERSON_KEY).where(PERSON_KEY.c.key_id == first).values(wrapped=b"damaged" * 9))
    opened().append(record(1), person="ann")
    assert len(verify_ledger(ledger).findings) == 1


def test_nothing_is_done_without_a_reason(ledger: Ledger) -> None:
    name, held = fill(ledger, 1)[0], custody.hold(ledger, person="investor 0", who="clerk", reason="case 1").id
    size = ledger.size
    for act in (
        partial(custody.hold, record=name),
        partial(custody.release, hold_id=held),
        partial(custody.erase, person="investor 0"),
        partial(custody.rotate_key, new=SigningKey(b"n" * 32)),
        custody.accept_clock,
    ):
        with pytest.raises(UsageError, match="needs its reason"):
            act(ledger, who="clerk", reason=" ")
    with pytest.raises(UsageError, match="needs its purpose"):
        list(ledger.read_many(ledger.headers(), who="clerk", purpose=" "))
    assert ledger.size == size


def times(ledger: Ledger) -> list[str]:
    """Of all entries, the oldest first."""
    return [header.time for header in reversed(ledger.headers())]


def test_a_clock_that_was_wrong(ledger: Ledger, clock: Clock) -> None:
    """Time stands still until the clock has come to it again; what it shows meanwhile is told beside."""
    clock.now += timedelta(days=3650)
    ahead = ledger.append(record(1), person="ann")
    clock.now = START + timedelta(days=1)
    with pytest.raises(LedgerError, match="set the clock right"):
        ledger.append(record(2), person="ann")
    assert ledger.size == 2
    custody.accept_clock(ledger, who="admin", reason="battery of the clock")
    after = ledger.header(ledger.append(record(2), person="ann").id)
    assert after.time == ledger.header(ahead.id).time
    assert after.tags["clock"] == "2026-07-01T08:00:03.000000Z"
    assert times(ledger) == sorted(times(ledger))
    clock.now -= timedelta(minutes=2)
    with pytest.raises(LedgerError, match="behind the newest entry"):
        ledger.append(record(3), person="ann")
    clock.now += timedelta(days=3650)
    again = ledger.header(ledger.append(record(4), person="ann").id)
    assert "clock" not in again.tags
    assert times(ledger) == sorted(times(ledger))
    assert verify_ledger(ledger).sound


def test_times_never_go_back_however_many_servers_write(opened: Opener, location: str, clock: Clock) -> None:
    """A clock that is a little behind gives the newest entry's time; little by little it does not get further back."""
    late = Clock()
    one, two = opened(), open_ledger(location, clock=late, environ=KEYS)
    for number in range(6):
        one.append(record(number), person="ann")
        late.now = clock.now - timedelta(seconds=50)
        two.append(record(number), person="bob")
    assert times(one) == sorted(times(one))
    assert not any(header.tags for header in one.headers())
    late.now = clock.now - timedelta(seconds=45)
    two.append(record(1), person="bob")
    late.now = clock.now - timedelta(seconds=90)
    with pytest.raises(LedgerError, match=r"behind the newest entry \(2026-06-30T08:00:"):
        two.append(record(1), person="bob")
    assert times(one) == sorted(times(one))
    assert verify_ledger(one).sound
    two.close()


def test_a_time_that_went_back_is_found(ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the keys can sign what the writer refuses."""
    fill(ledger, 2)
    clock.now -= timedelta(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_clock_after", lambda draft, _: writer.time_text(draft.time))
        patch.setattr(writer, "max", lambda *both: both[1], raising=False)
        fill(ledger, 1)
    assert [(found.seq, found.problem[:40]) for found in verify_ledger(ledger).findings] == [
        (3, "its time is before that of the entry bef")
    ]


# -- key files -----------------------------------------------------------------------------------------------


def test_key_files_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    open_ledger(folder, environ={}).close()
    for name in ("signing.key", "master.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "ledger.sqlite").stat().st_mode) == 0o600
    (folder / "signing.key").chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        open_ledger(folder, environ={})


def test_key_file_is_replaced_on_rotation(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, environ={})
    before = (tmp_path / "signing.key").read_text()
    custody.rotate_key(ledger, who="admin", reason="yearly")
    assert (tmp_path / "signing.key").read_text() != before
    assert not list(tmp_path.glob("signing.key.*"))
    again = open_ledger(tmp_path, environ={})
    again.append(record(1), person="ann")
    assert verify_ledger(again).sound


def test_a_rotation_that_was_cut_off_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(tmp_path, environ={})

    def power_cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", power_cut)
        custody.rotate_key(ledger, who="admin", reason="yearly")
    assert len(list(tmp_path.glob("signing.key.*"))) == 1
    again = open_ledger(tmp_path, environ={})
    again.append(record(1), person="ann")
    assert verify_ledger(again).sound


def test_wrong_keys_and_places(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger here"):
        open_ledger(tmp_path / "none", create=False, environ={})
    with pytest.raises(LedgerError, match="not a kind of ledger"):
        open_ledger("mysql://localhost/x", environ={})
    with pytest.raises(LedgerError, match="32 bytes in base64"):
        open_ledger(tmp_path / "new", environ={SIGNING_VARIABLE: "short"})
    name = fill(open_ledger(tmp_path / "ledger", environ=KEYS), 1)[0]
    other = open_ledger(tmp_path / "ledger", environ={**KEYS, MASTER_VARIABLE: secret("x")}, create=False)
    with pytest.raises(LedgerError, match="this master key does not open it"):
        other.read_text(name, who="clerk", purpose="test")
    assert other.headers(person="investor 0") == []


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        for module in (opening, reading):
            later.setattr(module, "FORMAT", 2)
        open_ledger(tmp_path, environ={}).close()
    with pytest.raises(LedgerError, match="of another version of pathfolio: use that, or a newer one"):
        open_ledger(tmp_path, environ={})
    with pytest.raises(LedgerError, match="of another version"):
        open_ledger(tmp_path, environ={}, create=False).append(record(1), person="ann")


def test_a_running_writer_takes_up_the_key_of_another_process(tmp_path: Path) -> None:
    running, other = open_ledger(tmp_path, environ={}), open_ledger(tmp_path, environ={})
    running.append(record(1), person="ann")
    custody.rotate_key(other, who="admin", reason="yearly")
    running.append(record(2), person="ann")
    found = verify_ledger(running)
    assert (found.sound, len(found.keys), found.size) == (True, 2, 4)


def test_the_key_changes_while_many_append(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, environ={})

    def work() -> None:
        for number in range(40):
            ledger.append(record(number), person="ann")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        custody.rotate_key(ledger, who="admin", reason="test")
    for thread in threads:
        thread.join()
    found = verify_ledger(ledger)
    assert (found.sound, len(found.keys), found.size) == (True, 6, 1 + 5 + 160)


def test_two_change_the_key_at_a_time(tmp_path: Path) -> None:
    """The second is refused, and the first one's key stays in its file."""
    one, two = open_ledger(tmp_path, environ={}), open_ledger(tmp_path, environ={})
    two.append(record(1), person="ann")
    custody.rotate_key(one, who="admin", reason="yearly")
    with pytest.raises(LedgerError, match=r"changed by somebody else|is not in a file"):
        custody.rotate_key(two, who="other admin", reason="yearly")
    assert not list(tmp_path.glob("signing.key.*"))
    again = open_ledger(tmp_path, environ={})
    again.append(record(2), person="ann")
    assert verify_ledger(again).sound


def test_many_make_the_keys_at_the_same_moment(tmp_path: Path) -> None:
    start, made = threading.Barrier(12), []

    def work() -> None:
        start.wait()
        ledger = open_ledger(tmp_path, environ={})
        made.append(ledger.append(record(1), person="ann").id)
        ledger.close()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = open_ledger(tmp_path, environ={})
    assert len(made) == len(ledger.headers(person="ann")) == 12
    assert verify_ledger(ledger).sound
    assert not list(tmp_path.glob(".*"))


def test_a_key_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(LedgerError, match="cannot make the key file"):
        patch.setattr("os.fsync", full)
        open_ledger(tmp_path, environ={})
    assert not list(tmp_path.glob("*.key*"))
    open_ledger(tmp_path, environ={}).append(record(1), person="ann")


def test_a_hold_that_comes_while_a_person_is_erased(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    names = fill(ledger, 5)
    draft = ledger.draft

    def held_before(*about: Any) -> Any:
        monkeypatch.undo()
        custody.hold(ledger, person="investor 1", who="counsel", reason="case 9")
        return draft(*about)

    monkeypatch.setattr(ledger, "draft", held_before)
    with pytest.raises(LedgerError, match="case 9"):
        custody.erase(ledger, "investor 1", who="dpo", reason="request", despite_retention=True)
    assert json.loads(ledger.read_text(names[1], who="clerk", purpose="test")) == record(1)
    assert verify_ledger(ledger).sound
