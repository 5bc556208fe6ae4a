"""Custody of what was recorded: legal hold, erasure of a person, change of key, a clock that was wrong,
a backup that was put back.

Each is itself an entry of the ledger, written in the same transaction as what it does.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import sqlalchemy as sa

from pathfolio.explain.ledger.age import kept_until, outlived
from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.ledger.held import held_ids, holds
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
from pathfolio.explain.ledger.payloads import (
    ClockAccepted,
    Erasure,
    Hold,
    KeyChange,
    Release,
    Restore,
)
from pathfolio.explain.ledger.store import PERSON_KEY
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.kg.errors import LedgerError, UsageError


def hold(ledger: Ledger, *, person: str | None = None, record: str | None = None, who: str, reason: str) -> Receipt:
    """Put a person's records, or one record, under legal hold: neither erasure nor retention touches them.

    Raises:
        UsageError: not exactly one of `person` and `record`, or nothing is known of them.
    """
    key, record_id = _scope(ledger, person, record)
    return ledger.note(Hold(who, stated(reason), key, record_id))


def release(ledger: Ledger, hold_id: str, *, who: str, reason: str) -> Receipt:
    """End the hold that the entry `hold_id` began; raises UsageError where it is not in force."""
    header = ledger.header(hold_id)
    if header.id not in {entry.id for entry, _ in holds(ledger)}:
        raise UsageError(f"{hold_id}: no hold in force: see `pathfolio audit list --kind hold`")
    return ledger.note(Release(header.id, who, stated(reason)))


def erase(ledger: Ledger, person: str, *, who: str, reason: str, despite_retention: bool = False) -> Receipt:
    """Destroy a person's key: what is sealed with it can never be read again, while the tree still verifies.

    Raises:
        UsageError: nothing is recorded of this person.
        LedgerError: a legal hold stands against it, or records must still be kept and `despite_retention` is False.
    """
    reason = stated(reason)
    key_id = _key_of(ledger, person)
    sealed = ledger.headers(person=person)
    if not despite_retention:
        _check_outlived(ledger, sealed)

    def destroy(connection: sa.Connection, _receipts: list[Receipt]) -> None:
        standing = holds(ledger)  # nobody can place another one until this transaction has ended
        for header, said in standing:
            if said.key == key_id or said.record in {entry.id for entry in sealed}:
                raise LedgerError(f"hold {header.id} ({said.reason}) forbids it: release the hold first")
        if standing and not {entry.id for entry in sealed}.isdisjoint(held_ids(ledger, ledger.headers())):
            which = ", ".join(header.id for header, _ in standing)
            raise LedgerError(f"it tells who looked while holds are in force ({which}): release them first")
        gone = sa.update(PERSON_KEY).where(PERSON_KEY.c.key_id == key_id).values(subject=None, wrapped=None)
        connection.execute(gone)

    receipt = ledger.write([ledger.draft(Erasure(key_id, len(sealed), who, reason))], destroy)[0]
    ledger.store.forget()
    return receipt


def _check_outlived(ledger: Ledger, sealed: list[Header]) -> None:
    """Raise LedgerError where one of these must still be kept."""
    now = ledger.clock()
    remedy = "wait, or give --despite-retention with the reason that overrides it"
    until = max((kept_until(entry) for entry in sealed), default=now)
    if until > now:
        raise LedgerError(f"records must be kept until {until.date()}: {remedy}")
    wanted = {entry.id for entry in sealed}
    if any(header.id in wanted and not lived for header, lived in outlived(ledger.headers(), now)):
        raise LedgerError(f"records are old enough by this machine's clock alone ({now.date()}): {remedy}")


def rotate_key(ledger: Ledger, *, who: str, reason: str, new: SigningKey | None = None) -> SigningKey:
    """Sign with another key from now on; the old one signs the change.

    A key file is replaced. Where the key is in the environment, the next one is there, too; who has it beside the old
    one goes on without a pause.

    Args:
        new: PATHFOLIO_LEDGER_NEXT_KEY, or one made now, if not given.

    Raises:
        LedgerError: the key comes from the environment and no next one is there, or that one has signed before.
    """
    reason = stated(reason)
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
    said = KeyChange(verifier=verifier.text, handover=handover, who=who, reason=reason)
    try:
        ledger.change_key(ledger.draft(said), new)
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
    """Record that the clock was far ahead, so that entries can go on.

    Their times do not go back: until the clock has passed the newest entry's time they have that, and say beside it
    what the clock shows.
    """
    return ledger.note(ClockAccepted(who, stated(reason)))


def accept_restore(ledger: Ledger, *, who: str, reason: str) -> Restore:
    """Record that the ledger went back to an older copy on purpose, so that entries can go on; returns what it says.

    Raises:
        UsageError: it has everything that this machine saw of it.
    """
    reason, seen = stated(reason), ledger.watch.seen
    if seen is None or not ledger.watch.problem():
        raise UsageError(
            "nothing to accept: the ledger has all that this account has seen of it on this machine: run it where, and "
            "as whom, the ledger is refused"
        )
    said = Restore(who, reason, seen.size, seen.note)
    ledger.note(said)
    ledger.watch.check()
    return said


def stated(reason: str) -> str:
    """The reason; raises UsageError where there is none."""
    if not reason.strip():
        raise UsageError("what changes custody needs its reason: say --reason …")
    return reason


def _scope(ledger: Ledger, person: str | None, record: str | None) -> tuple[str, str]:
    """The person's key and the record's id, of which one is empty."""
    if (person is None) == (record is None):
        raise UsageError("name either a person or a record")
    return ("", ledger.header(record).id) if record else (_key_of(ledger, str(person)), "")


def _key_of(ledger: Ledger, person: str) -> str:
    query = sa.select(PERSON_KEY.c.key_id).where(PERSON_KEY.c.subject == ledger.master.subject(person))
    with ledger.store.read() as connection:
        key_id = connection.execute(query).scalar()
    if key_id is None:
        raise UsageError(f"nothing is recorded of {person!r}, or the person was erased: check the id")
    return str(key_id)
