"""The ledger: what it does, the same on SQLite and on PostgreSQL; and canonical JSON."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.keys import SigningKey
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from pathfolio.explain.ledger.note import open_checkpoint
from pathfolio.explain.ledger.store import ENTRY, PERSON_KEY
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.kg.errors import LedgerError, UsageError
from tests.explain.ledger_world import (
    PLACES,
    START,
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
from tests.noted import Noted

location = pytest.fixture(params=PLACES)(place)
clock = pytest.fixture(new_clock)
opened = pytest.fixture(opener)
ledger = pytest.fixture(newly_opened)


def test_a_record_is_there_once_append_returns(ledger: Ledger, opened: Opener) -> None:
    receipt = ledger.append(record(1), person="ann", tags={"build": "b1"})
    other = opened(create=False)
    assert json.loads(other.read_text(receipt.id, who="clerk", purpose="complaint 7")) == record(1)
    header = other.header(receipt.id[:8])
    assert (header.id, header.seq, header.kind, header.tags) == (receipt.id, 1, "recommendation", {"build": "b1"})
    assert header.moment == START + timedelta(seconds=2)


def test_every_look_is_recorded_with_its_purpose(ledger: Ledger) -> None:
    first, second = fill(ledger, 2)
    ledger.read_text(first, who="clerk", purpose="complaint 7")
    looks = ledger.headers(kinds=["access"])
    assert entry_of(ledger, looks[0].id) == {"records": [first], "who": "clerk", "purpose": "complaint 7"}
    list(ledger.read_many(ledger.headers(kinds=["recommendation"]), who="clerk", purpose="inspection"))
    assert entry_of(ledger, ledger.headers(limit=1)[0].id)["records"] == [second, first]
    with pytest.raises(UsageError, match="needs its purpose"):
        ledger.read_text(first, who="clerk", purpose=" ")


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
    late = ledger.draft(Noted(0), "ann")
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


# -- canonical JSON ------------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(values)
def test_canonical_json_reads_as_what_was_written_and_has_one_text(value: Any) -> None:
    try:
        text = canonical(value)
    except LedgerError:
        with pytest.raises(UnicodeEncodeError):
            json.dumps(value, ensure_ascii=False).encode()
        return
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text
    assert canonical(_backwards(value)) == text


def _backwards(value: Any) -> Any:
    """The same value, its keys in another order."""
    if isinstance(value, dict):
        return {name: _backwards(value[name]) for name in reversed(value)}
    return [_backwards(each) for each in value] if isinstance(value, list) else value


def test_canonical_json_of_odd_values() -> None:
    assert canonical({"b": [1e-7, 1e21, -0.0, 5e-324, 1.0, 1, 0.1], "a\n": '"é'}) == (
        '{"a\\n":"\\"é","b":[1e-7,1e21,-0.0,5e-324,1.0,1,0.1]}'.encode()
    )


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": object()}, {"x": [float("inf")]}, "\ud800"])
def test_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(LedgerError, match="canonical JSON"):
        canonical(value)
