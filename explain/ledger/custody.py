"""Custody of what was recorded: legal hold, erasure of a person, retention, change of key, a clock that was wrong.

Each is itself an entry of the ledger, written in the same transaction as what it does.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from pathfolio.explain.ledger.entry import Header, open_payload, read_header
from pathfolio.explain.ledger.keys import (
    KEY_BYTES,
    NEXT_VARIABLE,
    SIGNING_FILE,
    SigningKey,
    signing_key,
    sync_folder,
    write_secret,
)
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.note import Note
from pathfolio.explain.ledger.store import ENTRY, PERSON_KEY
from pathfolio.explain.ledger.writer import CLOCK_KIND, Receipt
from pathfolio.kg.errors import LedgerError, UsageError

HOLD: Final = "hold"
RELEASE: Final = "release"
ERASURE: Final = "erasure"
EXPIRY: Final = "expiry"

RETENTION: Final = MappingProxyType({"advice": timedelta(days=2557), "access": timedelta(days=2557)})
"""How long each class is kept: seven years. Entries of other classes are kept for ever; they name no investor."""


def hold(ledger: Ledger, *, person: str | None = None, record: str | None = None, who: str, reason: str) -> Receipt:
    """Put a person's records, or one record, under legal hold: neither erasure nor retention touches them.

    Raises:
        UsageError: not exactly one of `person` and `record`, or nothing is known of them.
    """
    payload = _scope(ledger, person, record) | _because(who, reason)
    return ledger.append(payload, person=None, kind=HOLD, retention="ledger")


def release(ledger: Ledger, hold_id: str, *, who: str, reason: str) -> Receipt:
    """End the hold that the entry `hold_id` began; raises UsageError where it is not in force."""
    header = ledger.header(hold_id)
    if header.id not in {entry.id for entry, _ in holds(ledger)}:
        raise UsageError(f"{hold_id}: no hold in force: see `pathfolio audit list --kind hold`")
    return ledger.append({"hold": header.id} | _because(who, reason), person=None, kind=RELEASE, retention="ledger")


def holds(ledger: Ledger) -> list[tuple[Header, dict[str, Any]]]:
    """The holds in force with their payloads, the newest first."""
    ended = {payload["hold"] for _, payload in _payloads(ledger, RELEASE)}
    return [(header, payload) for header, payload in _payloads(ledger, HOLD) if header.id not in ended]


def erase(ledger: Ledger, person: str, *, who: str, reason: str, despite_retention: bool = False) -> Receipt:
    """Destroy a person's key: what is sealed with it can never be read again, while the tree still verifies.

    Raises:
        UsageError: nothing is recorded of this person.
        LedgerError: a legal hold stands against it, or records must still be kept and `despite_retention` is False.
    """
    because, key_id = _because(who, reason), _key_of(ledger, person)
    sealed = ledger.headers(person=person)
    until = max((_kept_until(entry) for entry in sealed), default=ledger.clock())
    if until > ledger.clock() and not despite_retention:
        remedy = "wait, or give --despite-retention with the reason that overrides it"
        raise LedgerError(f"records must be kept until {until.date()}: {remedy}")
    payload = {"key": key_id, "records": len(sealed)} | because

    def destroy(connection: sa.Connection, _receipts: list[Receipt]) -> None:
        for header, hold in holds(ledger):  # nobody can place another one until this transaction has ended
            if hold.get("key") == key_id or hold.get("record") in {entry.id for entry in sealed}:
                raise LedgerError(f"hold {header.id} ({hold['reason']}) forbids it: release the hold first")
        gone = sa.update(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id).values(subject=None, wrapped=None)
        connection.execute(gone)

    receipt = ledger.write([ledger.draft(payload, None, ERASURE)], destroy)[0]
    ledger.store.forget()
    return receipt


def expire(ledger: Ledger, *, who: str) -> int:
    """Delete the content of records whose retention has ended and that no hold keeps; returns how many.

    Their hashes stay, so the tree still verifies, and the entry that this writes says which they were; what their
    rows repeat of the content goes with it, but for the id and the kind, by which that can be checked.
    """
    held = holds(ledger)
    keys, records = ({payload.get(name) for _, payload in held} for name in ("key", "record"))
    now = ledger.clock()
    due = [h for h in ledger.headers() if _kept_until(h) <= now and h.key not in keys and h.id not in records]
    if not due:
        return 0
    gone = [[header.seq, header.id, header.kind] for header in reversed(due)]

    def delete(connection: sa.Connection, _receipts: list[Receipt]) -> None:
        if holds(ledger) != held:
            raise LedgerError("a hold was placed or released meanwhile: begin again; nothing was deleted")
        for start in range(0, len(gone), 500):
            some = ENTRY.c.seq.in_([seq for seq, _, _ in gone[start : start + 500]])
            connection.execute(sa.update(ENTRY).where(some).values(data=None, key_id="", time=""))

    ledger.write([ledger.draft({"gone": gone, "who": who}, None, EXPIRY)], delete)
    ledger.store.forget()
    return len(due)


def rotate_key(ledger: Ledger, *, who: str, reason: str, new: SigningKey | None = None) -> SigningKey:
    """Sign with another key from now on; the old one signs the change.

    A key file is replaced. Where the key is in the environment, the next one is there, too; who has it beside the old
    one goes on without a pause.

    Args:
        new: PATHFOLIO_LEDGER_NEXT_KEY, or one made now, if not given.

    Raises:
        LedgerError: the key comes from the environment and no next one is there, or that one has signed before.
    """
    because = _because(who, reason)
    old, new = ledger.signing, new or ledger.next_signing
    in_file = old is not None and signing_key(ledger.folder, {}, create=False) == old
    if old is None or (new is None and not in_file):
        raise LedgerError(
            f"the signing key is not in a file of the ledger: set {NEXT_VARIABLE} to the next one (`openssl rand "
            f"-base64 32`), here and for every server, start these again, then change the key"
        )
    new = new or SigningKey(secrets.token_bytes(KEY_BYTES))
    verifier = new.verifier(ledger.origin)
    if verifier in ledger.verifiers:
        raise LedgerError(f"the next key has signed this ledger before: set {NEXT_VARIABLE} to a new one")
    waiting = ledger.folder / f"{SIGNING_FILE}.{verifier.key_id.hex()}"
    if in_file:
        write_secret(waiting, new.seed)
    handover = Note.sign(f"{ledger.origin}\nkey {verifier.text}\n", old.verifier(ledger.origin), old.private).text
    payload = {"verifier": verifier.text, "handover": handover} | because
    try:
        ledger.change_key(ledger.draft(payload, None, "key"), new)
    except LedgerError:
        if ledger.verifiers[-1] != verifier:  # else it was recorded, and the next to open the ledger takes the key up
            waiting.unlink(missing_ok=True)
        raise
    if in_file:
        _install(waiting)
    return new


def finish_rotation(ledger: Ledger) -> None:
    """Complete a change of key that was cut off between its entry and the replacement of the file."""
    newest = ledger.verifiers[-1]
    waiting = ledger.folder / f"{SIGNING_FILE}.{newest.key_id.hex()}"
    found = signing_key(ledger.folder, {}, create=False, name=waiting.name)
    if found is not None and found.verifier(ledger.origin) == newest:
        _install(waiting)
        ledger.signing = found


def _install(waiting: Path) -> None:
    waiting.replace(waiting.with_name(SIGNING_FILE))
    sync_folder(waiting.parent)


def accept_clock(ledger: Ledger, *, who: str, reason: str) -> Receipt:
    """Record that the clock was wrong, so that entries can go on from the time that it shows now."""
    return ledger.write([ledger.draft(_because(who, reason), None, CLOCK_KIND)])[0]


def _because(who: str, reason: str) -> dict[str, str]:
    if not reason.strip():
        raise UsageError("what changes custody needs its reason: say --reason …")
    return {"who": who, "reason": reason}


def _scope(ledger: Ledger, person: str | None, record: str | None) -> dict[str, str]:
    if (person is None) == (record is None):
        raise UsageError("name either a person or a record")
    return {"record": ledger.header(record).id} if record else {"key": _key_of(ledger, str(person))}


def _key_of(ledger: Ledger, person: str) -> str:
    query = sa.select(PERSON_KEY.c.key_id).where(PERSON_KEY.c.subject == ledger.master.subject(person))
    with ledger.store.read() as connection:
        key_id = connection.execute(query).scalar()
    if key_id is None:
        raise UsageError(f"nothing is recorded of {person!r}, or the person was erased: check the id")
    return str(key_id)


def _kept_until(header: Header) -> datetime:
    period = RETENTION.get(header.retention)
    return datetime.max.replace(tzinfo=UTC) if period is None else header.moment + period


def _payloads(ledger: Ledger, kind: str) -> list[tuple[Header, dict[str, Any]]]:
    query = sa.select(ENTRY.c.data).where(ENTRY.c.kind == kind).order_by(ENTRY.c.seq.desc())
    with ledger.store.read() as connection:
        leaves = [bytes(data) for data in connection.execute(query).scalars()]
    return [(read_header(leaf), open_payload(leaf, None)) for leaf in leaves]
