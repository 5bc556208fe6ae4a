"""Who signs a ledger: the chain of its keys, each of them signed over by the one before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pathfolio.explain.ledger.entry import open_payload
from pathfolio.explain.ledger.note import Note, Verifier
from pathfolio.explain.ledger.payloads import KEY_KINDS, KeyChange, Opening
from pathfolio.explain.ledger.store import ENTRY
from pathfolio.kg.errors import LedgerError


@dataclass(frozen=True)
class Signers:
    """A ledger's name and its keys, each with the place of the entry that names it, the newest last."""

    origin: str = ""
    keys: tuple[tuple[int, Verifier], ...] = ()

    def at(self, size: int) -> list[Verifier]:
        """The one key that signs checkpoints of this size: a new key signs from the entry after its own on."""
        return [verifier for seq, verifier in self.keys if seq + 1 < size or seq == 0][-1:]

    def followed(self, seq: int, leaf: bytes) -> Signers:
        """With the key that an entry names; raises LedgerError where the key before it has not signed that."""
        if not self.keys:
            opening = open_payload(leaf, None, Opening)
            return Signers(opening.origin, ((seq, Verifier.parse(opening.verifier)),))
        change = open_payload(leaf, None, KeyChange)
        verifier = Verifier.parse(change.verifier)
        handover = Note.parse(change.handover)
        expected = f"{self.origin}\nkey {verifier.text}\n"
        if handover.body != expected or not self.keys[-1][1].holds_for(handover):
            raise LedgerError("its handover is not signed by the key before it")
        return Signers(self.origin, (*self.keys, (seq, verifier)))


def read_signers(
    connection: sa.Connection, trusted: Sequence[Verifier], problem: Callable[[int | None, str, str], None]
) -> Signers:
    """The chain as the entries tell it.

    Args:
        trusted: the first key must be one of them, if any are given.
        problem: told of what is wrong, with the place and id of the entry, if it is one.
    """
    query = sa.select(ENTRY.c.seq, ENTRY.c.id, ENTRY.c.data).where(ENTRY.c.kind.in_(KEY_KINDS)).order_by(ENTRY.c.seq)
    signers = Signers()
    for row in connection.execute(query).all():
        try:
            signers = signers.followed(int(row.seq), bytes(row.data))
        except (LedgerError, ValueError, TypeError) as error:
            problem(row.seq, row.id, f"the entry of a key is altered: {error}")
    if not signers.keys:
        problem(None, "", "no opening entry with the ledger's name and key")
    elif trusted and signers.keys[0][1] not in trusted:
        problem(None, "", f"signed by {signers.keys[0][1].text}, which is not the key that you trust")
    return signers
