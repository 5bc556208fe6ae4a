"""The ledger: one behaviour suite on SQLite and PostgreSQL, then what each tampering is found as."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from explain.ledger import custody
from explain.ledger.canonical import canonical
from explain.ledger.keys import MASTER_VARIABLE, SIGNING_VARIABLE, SigningKey
from explain.ledger.ledger import Ledger, open_ledger
from explain.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from explain.ledger.note import Verifier, open_checkpoint
from explain.ledger.store import CHECKPOINT, ENTRY, PERSON_KEY, TILE
from explain.ledger.verify import Verification, verify_ledger, verify_record
from kg.errors import LedgerError, UsageError

START = datetime(2026, 6, 30, 8, 0, tzinfo=UTC)


class Clock:
    """A clock that the test sets; each look at it is a second later."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def secret(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


KEYS = {SIGNING_VARIABLE: secret("s"), MASTER_VARIABLE: secret("m")}

Opener = Callable[..., Ledger]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(location: str, clock: Clock) -> Iterator[Opener]:
    """Opens the same ledger as often as one likes."""
    made: list[Ledger] = []

    def opener(**options: Any) -> Ledger:
        made.append(open_ledger(location, clock=clock, environ=KEYS, **options))
        return made[-1]

    yield opener
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(opened: Opener) -> Ledger:
    return opened()


def record(number: int) -> dict[str, Any]:
    return {"number": number, "name": "台積電", "score": number / 7}


def fill(ledger: Ledger, count: int) -> list[str]:
    receipts = ledger.append_many([(record(number), f"investor {number % 5}") for number in range(count)])
    return [receipt.id for receipt in receipts]


def change(ledger: Ledger, statement: sa.Executable) -> None:
    """Change the database behind the ledger's back."""
    with ledger.store.write() as connection:
        connection.execute(statement)


# -- behaviour -----------------------------------------------------------------------------------------------


def test_a_record_is_there_once_append_returns(ledger: Ledger, opened: Opener) -> None:
    receipt = ledger.append(record(1), person="ann", tags={"build": "b1"})
    other = opened(create=False)
    assert other.read(receipt.id, who="clerk", purpose="complaint 7") == record(1)
    header = other.header(receipt.id[:8])
    assert (header.id, header.seq, header.kind, header.tags) == (receipt.id, 1, "recommendation", {"build": "b1"})
    assert header.moment == START + timedelta(seconds=2)


def test_every_look_is_recorded_with_its_purpose(ledger: Ledger) -> None:
    first, second = fill(ledger, 2)
    ledger.read(first, who="clerk", purpose="complaint 7")
    looks = ledger.headers(kinds=["access"])
    assert ledger.unsealed(ledger.leaf(looks[0].id)) == {"records": [first], "who": "clerk", "purpose": "complaint 7"}
    list(ledger.read_many(ledger.headers(kinds=["recommendation"]), who="clerk", purpose="inspection"))
    assert ledger.unsealed(ledger.leaf(ledger.headers(limit=1)[0].id))["records"] == [second, first]
    with pytest.raises(UsageError, match="needs its purpose"):
        ledger.read(first, who="clerk", purpose=" ")


def test_payloads_are_sealed(ledger: Ledger) -> None:
    (name,) = fill(ledger, 1)
    assert "台積電".encode() not in ledger.leaf(name)
    with ledger.store.read() as connection:
        keys = connection.execute(sa.select(PERSON_KEY)).all()
        rows = connection.execute(sa.select(ENTRY)).all()
    assert b"investor 0" not in repr([*map(tuple, keys), *map(tuple, rows)]).encode()


def test_finding(ledger: Ledger) -> None:
    names = fill(ledger, 7)
    assert [header.id for header in ledger.headers(person="investor 1")] == [names[6], names[1]]
    assert [header.id for header in ledger.headers(kinds=["recommendation"], limit=2)] == [names[6], names[5]]
    assert ledger.headers(person="nobody") == []
    with pytest.raises(UsageError, match="no record 'zz'"):
        ledger.header("zz")
    with pytest.raises(UsageError, match="no record ''"):
        ledger.header("")


def test_all_or_none(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="canonical JSON"):
        ledger.append_many([(record(1), "ann"), ({"score": float("nan")}, "ann")])
    assert ledger.size == 1
    assert verify_ledger(ledger).sound


def test_a_thousand_concurrent_appends(ledger: Ledger) -> None:
    acknowledged: list[str] = []

    def work(worker: int) -> None:
        for number in range(25):
            acknowledged.append(ledger.append(record(number), person=f"investor {worker}").id)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {header.id for header in ledger.headers(kinds=["recommendation"])}
    assert len(acknowledged) == len(stored) == 1000
    assert stored == set(acknowledged)
    assert verify_ledger(ledger).sound


def test_one_refused_entry_does_not_spoil_the_others(ledger: Ledger, clock: Clock) -> None:
    late = ledger.draft(record(0), "ann", "recommendation")
    clock.now += timedelta(hours=2)
    ledger.append(record(1), person="ann")
    with pytest.raises(LedgerError, match=r"the clock is 2:00:0\d behind"):
        ledger.write([late])
    ledger.append(record(2), person="ann")
    assert [h.kind for h in ledger.headers()] == ["recommendation", "recommendation", "ledger"]


def test_two_writers_take_turns(opened: Opener) -> None:
    one, two = opened(), opened()
    for number in range(5):
        one.append(record(number), person="ann")
        two.append(record(number), person="bob")
    assert [header.seq for header in one.headers()] == list(range(10, -1, -1))
    assert verify_ledger(two).sound


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_proofs_from_tiles(ledger: Ledger, size: int) -> None:
    old = ledger.checkpoint()
    names = fill(ledger, size)
    for name in (names[0], names[len(names) // 2], names[-1]):
        proof = ledger.prove(ledger.header(name).seq)
        checkpoint = open_checkpoint(proof.checkpoint, ledger.verifiers, ledger.origin)
        leaf = leaf_hash(ledger.leaf(name))
        assert verify_inclusion(leaf, proof.seq, proof.size, proof.hashes, checkpoint.root)
    then = open_checkpoint(old, ledger.verifiers, ledger.origin)
    link = ledger.prove_consistency(then.size, checkpoint.size)
    assert verify_consistency(then.size, checkpoint.size, link, (then.root, checkpoint.root))
    assert verify_ledger(ledger, against=[old]).sound


def test_appending_after_reopening(opened: Opener) -> None:
    for size in (3, 251, 5, 300):
        fill(opened(), size)
    found = verify_ledger(opened(create=False), trusted=[SigningKey(b"s" * 32).verifier(opened().origin)])
    assert (found.sound, found.size) == (True, 560)


# -- custody -------------------------------------------------------------------------------------------------


def test_erasure_destroys_what_can_be_read_and_nothing_else(ledger: Ledger) -> None:
    names = fill(ledger, 10)
    custody.erase(ledger, "investor 1", who="dpo", reason="Art. 17 request", despite_retention=True)
    with pytest.raises(LedgerError, match="its key was destroyed"):
        ledger.read(names[1], who="clerk", purpose="test")
    assert ledger.read(names[2], who="clerk", purpose="test") == record(2)
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
        custody.erase(ledger, "investor 1", who="dpo", reason="request")
    on_record = custody.hold(ledger, record=names[2], who="counsel", reason="case 13")
    with pytest.raises(LedgerError, match="case 13"):
        custody.erase(ledger, "investor 2", who="dpo", reason="request")
    assert len(custody.holds(ledger)) == 2
    custody.release(ledger, held.id, who="counsel", reason="settled")
    custody.erase(ledger, "investor 1", who="dpo", reason="request")
    with pytest.raises(UsageError, match="no hold in force"):
        custody.release(ledger, held.id, who="counsel", reason="twice")
    assert [header.id for header, _ in custody.holds(ledger)] == [on_record.id]
    assert verify_ledger(ledger).sound


def test_retention_deletes_content_and_keeps_the_proof(ledger: Ledger, clock: Clock) -> None:
    names = fill(ledger, 5)
    custody.hold(ledger, record=names[4], who="counsel", reason="case 1")
    assert custody.expire(ledger, who="clerk") == 0
    clock.now += timedelta(days=2560)
    young = ledger.append(record(9), person="investor 1")
    assert custody.expire(ledger, who="clerk") == 4
    with pytest.raises(LedgerError, match="deleted when its retention ended"):
        ledger.read(names[0], who="clerk", purpose="test")
    assert ledger.read(names[4], who="clerk", purpose="test") == record(4)
    assert ledger.read(young.id, who="clerk", purpose="test") == record(9)
    found = verify_ledger(ledger)
    assert (found.sound, found.expired) == (True, 4)


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


def test_a_clock_that_was_wrong(ledger: Ledger, clock: Clock) -> None:
    clock.now += timedelta(days=3650)
    ledger.append(record(1), person="ann")
    clock.now = START + timedelta(days=1)
    with pytest.raises(LedgerError, match="set the clock right"):
        ledger.append(record(2), person="ann")
    assert ledger.size == 2
    custody.accept_clock(ledger, who="admin", reason="battery of the clock")
    ledger.append(record(2), person="ann")
    assert verify_ledger(ledger).sound


# -- tampering -----------------------------------------------------------------------------------------------


def flipped(value: bytes, at: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def tampered(ledger: Ledger, kind: str) -> None:
    """Change one thing in a ledger of 601 entries; entry 300 is the victim, or the last ones."""
    with ledger.store.read() as connection:
        rows = connection.execute(sa.select(ENTRY).where(ENTRY.c.seq.in_([300, 301])).order_by(ENTRY.c.seq)).all()
        note = connection.execute(sa.select(CHECKPOINT.c.note).where(CHECKPOINT.c.size == 601)).scalar_one()
    if kind == "swapped":
        swap(ledger, *rows)
        return
    victim, key_id, data = sa.update(ENTRY).where(ENTRY.c.seq == 300), rows[0].key_id, bytes(rows[0].data)
    new, leaf = flipped(data, len(data) - 3), bytes(rows[0].leaf_hash)
    changes: dict[str, sa.Executable] = {
        "content": victim.values(data=new),
        "content and hash": victim.values(data=new, leaf_hash=leaf_hash(new)),
        "header": victim.values(data=data.replace(b'"advice"', b'"Advice"')),
        "hash": victim.values(leaf_hash=flipped(leaf, 5)),
        "row": victim.values(kind="access"),
        "missing": sa.delete(ENTRY).where(ENTRY.c.seq == 300),
        "emptied": victim.values(data=None),
        "tail": sa.delete(ENTRY).where(ENTRY.c.seq >= 598),
        "tile": sa.update(TILE).where(TILE.c.idx == 0).values(root=leaf),
        "no tile": sa.delete(TILE).where(TILE.c.idx == 0),
        "checkpoint": sa.update(CHECKPOINT).where(CHECKPOINT.c.size == 601).values(note=note.replace("601", "602")),
        "no checkpoint": sa.delete(CHECKPOINT),
        "key": sa.update(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id).values(wrapped=b"x" * 60),
        "no key": sa.delete(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id),
    }
    change(ledger, changes[kind])


def swap(ledger: Ledger, one: Any, two: Any) -> None:
    columns = ("id", "key_id", "kind", "time", "leaf_hash", "data")
    change(ledger, sa.update(ENTRY).where(ENTRY.c.seq == one.seq).values(id="aside"))
    for row, other in ((two, one), (one, two)):
        values = {column: getattr(other, column) for column in columns}
        change(ledger, sa.update(ENTRY).where(ENTRY.c.seq == row.seq).values(values))


@pytest.mark.parametrize(
    ("kind", "seq", "problem"),
    [
        ("content", 300, "altered: its content does not have its hash"),
        ("content and hash", 300, "altered: not the entry that"),
        ("header", 300, "altered: its content does not have its hash"),
        ("hash", 300, "altered: its content does not have its hash"),
        ("row", 300, "altered: its row does not say what its content says"),
        ("missing", 300, "missing: 1 record(s) from place 300 on"),
        ("emptied", 300, "missing: its content was deleted, and no entry says so"),
        ("swapped", 300, "reordered: it was written at place 301"),
        ("tail", 598, "missing: 3 record(s) at the end, which the checkpoint at 601 signed"),
        ("tile", 0, "tile 0/0 does not agree"),
        ("no tile", None, "tile 0/0 is missing"),
        ("checkpoint", None, "checkpoint at 601: checkpoint at 602: not signed"),
        ("no checkpoint", None, "no checkpoint covers all 601 entries"),
        ("key", None, "this master key does not open it"),
        ("no key", None, "is gone, and no entry says so"),
    ],
)
def test_tampering_is_found_and_named(ledger: Ledger, kind: str, seq: int | None, problem: str) -> None:
    fill(ledger, 600)
    assert verify_ledger(ledger).sound
    tampered(ledger, kind)
    found = verify_ledger(ledger)
    assert not found.sound
    matching = [f for f in found.findings if problem in f.problem]
    assert matching, found.findings
    assert matching[0].seq == seq


def test_one_record_alone_is_verified(ledger: Ledger) -> None:
    names = fill(ledger, 600)
    assert verify_record(ledger, names[299]) is None
    tampered(ledger, "content")
    found = verify_record(ledger, names[299])
    assert found is not None and "altered" in found.problem
    assert verify_record(ledger, names[298]) is None


def test_a_rewritten_history_is_found_with_a_checkpoint_kept_elsewhere(opened: Opener, location: str) -> None:
    """Who has the keys can sign another history; only what was handed out before shows it."""
    ledger = opened()
    fill(ledger, 3)
    kept = ledger.checkpoint()
    with ledger.store.write() as connection:
        for table in (ENTRY, TILE, CHECKPOINT, PERSON_KEY):
            opening = sa.select(ENTRY).where(ENTRY.c.seq == 0)
            first = connection.execute(opening).mappings().one() if table is ENTRY else None
            connection.execute(sa.delete(table))
            if first is not None:
                connection.execute(sa.insert(ENTRY), dict(first))
    other = opened()
    fill(other, 5)
    assert verify_ledger(other).sound
    found = verify_ledger(other, against=[kept])
    assert [finding.problem for finding in found.findings] == [
        "checkpoint at 4 kept elsewhere: the entries up to there do not have the root that it signed"
    ]


def test_another_key_is_not_trusted(ledger: Ledger) -> None:
    fill(ledger, 2)
    stranger = Verifier(ledger.origin, SigningKey(b"z" * 32).verifier("").public)
    found: Verification = verify_ledger(ledger, trusted=[stranger])
    assert "not the key that you trust" in found.findings[0].problem


# -- keys and canonical JSON ---------------------------------------------------------------------------------


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
    other = open_ledger(tmp_path / "ledger", environ={**KEYS, MASTER_VARIABLE: secret("x")})
    with pytest.raises(LedgerError, match="this master key does not open it"):
        other.read(name, who="clerk", purpose="test")
    assert other.headers(person="investor 0") == []


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(values)
def test_canonical_json_is_the_library_s(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(LedgerError):
            canonical(value)
        return
    assert canonical(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        '{"a": "17e8", 1.0}',
        {"a\n": ["x", 1.0, '"1e9"']},
        [1e-7, 1e21, 1e16, -0.0, 5e-324, 1.0, 123456789.0, 0.1],
        {"€": 1, "\r": 2, "😀": 3},
    ],
)
def test_canonical_json_of_odd_values(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [{"x": float("nan")}, 2**60, {"x": {1, 2}}, "\ud800"])
def test_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(LedgerError, match="canonical JSON"):
        canonical(value)
