"""What was changed behind a ledger's back: found, and named for what it is."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.keys import SigningKey
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.merkle import leaf_hash
from pathfolio.explain.ledger.note import Checkpoint, Note, Verifier
from pathfolio.explain.ledger.payloads import KeyChange
from pathfolio.explain.ledger.store import CHECKPOINT, ENTRY, PERSON_KEY, TILE
from pathfolio.explain.ledger.verify import Verification, verify_extends, verify_ledger, verify_record
from pathfolio.kg.errors import LedgerError
from tests.explain.ledger_world import (
    PLACES,
    Clock,
    Opener,
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


def change(ledger: Ledger, statement: sa.Executable) -> None:
    """Change the database behind the ledger's back."""
    with ledger.store.write() as connection:
        connection.execute(statement)


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
        "added": sa.insert(ENTRY).values({**rows[0]._mapping, "seq": -1, "id": "added"}),
        "emptied": victim.values(data=None),
        "tail": sa.delete(ENTRY).where(ENTRY.c.seq >= 598),
        "tile": sa.update(TILE).where(TILE.c.idx == 0).values(root=leaf),
        "no tile": sa.delete(TILE).where(TILE.c.idx == 0),
        "checkpoint": sa.update(CHECKPOINT).where(CHECKPOINT.c.size == 601).values(note=note.replace("601", "602")),
        "no checkpoint": sa.delete(CHECKPOINT),
        "key": sa.update(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id).values(wrapped=b"x" * 60),
        "no key": sa.delete(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id),
        "whose key": sa.update(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id).values(subject="0" * 64),
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
        ("added", -1, "added: no entry belongs there"),
        ("emptied", 300, "missing: its content was deleted, and no entry says so"),
        ("swapped", 300, "reordered: it was written at place 301"),
        ("tail", 598, "missing: 3 record(s) at the end, which the checkpoint at 601 signed"),
        ("tile", 0, "tile 0/0 does not agree"),
        ("no tile", None, "tile 0/0 is missing"),
        ("checkpoint", None, "checkpoint at 601: checkpoint at 602: not signed"),
        ("no checkpoint", None, "no checkpoint covers all 601 entries"),
        ("key", None, "this master key does not open it"),
        ("no key", None, "is gone, and no entry says so"),
        ("whose key", None, "this master key does not open it, or it was altered"),
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


@pytest.mark.parametrize(("kind", "problems"), [("missing", ["missing"]), ("swapped", ["reordered", "reordered"])])
def test_what_follows_is_not_blamed(ledger: Ledger, kind: str, problems: list[str]) -> None:
    fill(ledger, 600)
    tampered(ledger, kind)
    assert [finding.problem.partition(":")[0] for finding in verify_ledger(ledger).findings] == problems


def test_one_record_alone_is_verified(ledger: Ledger) -> None:
    names = fill(ledger, 600)
    assert verify_record(ledger, names[299]) is None
    tampered(ledger, "content")
    found = verify_record(ledger, names[299])
    assert found is not None and "altered" in found.problem
    assert verify_record(ledger, names[298]) is None


def test_a_rewritten_history_is_found_with_a_checkpoint_kept_elsewhere(opened: Opener, tmp_path: Path) -> None:
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
    other = opened(marks=tmp_path)  # of a machine that has not seen the first history
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


def test_an_altered_record_is_not_taken_for_an_erased_one(ledger: Ledger) -> None:
    names = fill(ledger, 600)
    tampered(ledger, "content")
    custody.erase(ledger, "investor 0", who="dpo", reason="request", despite_retention=True)
    headers = [ledger.header(names[at]) for at in (298, 299, 300)]
    payloads = [payload for _, payload in ledger.read_many(headers, who="clerk", purpose="inspection")]
    assert payloads[0] == canonical(record(298))
    assert "altered" in str(payloads[1])
    assert payloads[2] is None


def test_one_record_that_changed_places_with_another(ledger: Ledger) -> None:
    names = fill(ledger, 600)
    tampered(ledger, "swapped")
    problems = [verify_record(ledger, names[at]) for at in (299, 300)]
    assert [found and found.problem for found in problems] == [
        "reordered: it was written at place 300",
        "reordered: it was written at place 301",
    ]


def test_what_is_left_of_an_expired_record(ledger: Ledger, clock: Clock) -> None:
    fill(ledger, 5)
    clock.now += timedelta(days=2560)
    expire(ledger)
    change(ledger, sa.update(ENTRY).where(ENTRY.c.seq == 2).values(kind="access"))
    assert [(f.seq, f.problem) for f in verify_ledger(ledger).findings] == [
        (2, "altered: its row does not say what was left of it")
    ]


def test_a_key_that_nobody_handed_over_to(ledger: Ledger) -> None:
    """Who has no key of the ledger's signs it with one of their own, and adds the entry that would name it."""
    (name,) = fill(ledger, 1)
    thief = SigningKey(b"t" * 32)
    verifier = thief.verifier(ledger.origin)
    handover = Note.sign(f"{ledger.origin}\nkey {verifier.text}\n", verifier, thief.private).text
    ledger.write([ledger.draft(KeyChange(verifier=verifier.text, handover=handover, who="thief", reason="theft"))])
    body = Note.parse(ledger.checkpoint()).body
    forged = Note.sign(body, verifier, thief.private).text
    change(ledger, sa.update(CHECKPOINT).where(CHECKPOINT.c.size == 3).values(note=forged))
    found = verify_record(ledger, name)
    assert found is not None
    assert "its handover is not signed by the key before it" in found.problem
    assert not verify_ledger(ledger).sound


def test_one_record_under_a_key_that_is_trusted(ledger: Ledger) -> None:
    (name,) = fill(ledger, 1)
    assert verify_record(ledger, name, trusted=ledger.verifiers) is None
    stranger = Verifier(ledger.origin, SigningKey(b"z" * 32).verifier("").public)
    found = verify_record(ledger, name, trusted=[stranger])
    assert found is not None
    assert "not the key that you trust" in found.problem


def test_a_ledger_begins_with_what_a_kept_checkpoint_signed(ledger: Ledger) -> None:
    fill(ledger, 300)
    kept, size = ledger.checkpoint(), ledger.size
    (name,) = fill(ledger, 1)
    assert verify_extends(ledger, kept) is None
    assert verify_extends(ledger, ledger.checkpoint()) is None
    signing, stranger = SigningKey(b"s" * 32), SigningKey(b"z" * 32)

    def problem(size: int, key: SigningKey) -> str:
        """Of a checkpoint with a root that the ledger never had."""
        body = Checkpoint(ledger.origin, size, b"r" * 32).body
        found = verify_extends(ledger, Note.sign(body, key.verifier(ledger.origin), key.private).text)
        return "" if found is None else found.problem

    assert problem(size, signing).endswith("the ledger does not begin with what it signed")
    assert problem(999, signing).startswith(f"missing: {999 - ledger.size} record(s) at the end")
    assert "not signed by a key of this ledger" in problem(size, stranger)
    assert verify_record(ledger, name) is None


def test_a_signature_has_one_text(ledger: Ledger) -> None:
    """The last letter of base64 has bits that mean nothing."""
    note = ledger.checkpoint()
    last = note.rstrip("=\n")[-1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = note.replace(f"{last}=\n", f"{letters[letters.index(last) ^ 1]}=\n")
    assert other != note
    change(ledger, sa.update(CHECKPOINT).values(note=other))
    assert "not a signed note" in verify_ledger(ledger).findings[0].problem


def test_verified_while_others_append(ledger: Ledger, opened: Opener) -> None:
    fill(ledger, 300)
    writer, over = opened(), threading.Event()

    def work() -> None:
        while not over.is_set():
            fill(writer, 7)

    thread = threading.Thread(target=work)
    thread.start()
    found = [verify_ledger(ledger) for _ in range(12)]
    over.set()
    thread.join()
    assert [each.findings for each in found] == [()] * 12
    assert found[0].size < found[-1].size


def test_no_checkpoint_to_compare_with(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="not a signed note"):
        verify_ledger(ledger, against=["something else"])
