"""Verify a whole ledger, or one record, from its rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pathfolio.explain.ledger.entry import read_header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from pathfolio.explain.ledger.note import Checkpoint, Note, Verifier, open_checkpoint
from pathfolio.explain.ledger.signers import Signers, read_signers
from pathfolio.explain.ledger.walk import Finding, LedgerWalk
from pathfolio.kg.errors import LedgerError, UsageError


@dataclass(frozen=True)
class Verification:
    """What was verified.

    Attributes:
        size: entries in the ledger.
        root: of the tree, in hex, computed from the entries.
        checkpoints: how many signed checkpoints agree with the tree.
        erased: sealed entries whose person was erased; they still prove that they were written.
        expired: entries whose content was deleted when its retention ended.
        findings: what is wrong; empty for a sound ledger.
    """

    origin: str
    size: int
    root: str
    checkpoints: int
    erased: int
    expired: int
    keys: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_record(ledger: Ledger, record_id: str, *, trusted: Sequence[Verifier] = ()) -> Finding | None:
    """Whether one record is in the signed tree as it was written: its hash, its place, its proof, the checkpoint.

    Args:
        trusted: as of `verify_ledger`.

    Raises:
        UsageError: no record has that id, or several begin so.
    """
    try:
        seq, leaf = ledger.row(record_id)
        header, proof, signers = read_header(leaf), ledger.prove(seq), _signers(ledger, trusted)
        checkpoint = open_checkpoint(proof.checkpoint, signers.at(proof.size), signers.origin)
    except LedgerError as error:
        return Finding(None, record_id, str(error))
    except UsageError as error:
        raise UsageError(f"{error}; whether one is missing, `pathfolio audit verify` tells") from None
    if header.seq != seq:
        return Finding(seq, header.id, f"reordered: it was written at place {header.seq}")
    if not verify_inclusion(leaf_hash(leaf), seq, proof.size, proof.hashes, checkpoint.root):
        return Finding(seq, header.id, "altered: its hash does not lead to the signed root")
    return None


def verify_extends(ledger: Ledger, kept: str, *, trusted: Sequence[Verifier] = ()) -> Finding | None:
    """Whether the ledger begins with what a checkpoint kept elsewhere signed, by a proof of a few hashes.

    Args:
        trusted: as of `verify_ledger`, which reads every entry and finds what was altered since.

    Raises:
        LedgerError: `kept` is no checkpoint.
    """
    size = Checkpoint.parse(Note.parse(kept).body).size
    which = f"checkpoint at {size} kept elsewhere"
    try:
        signers, newest = _signers(ledger, trusted), ledger.checkpoint()
        now = open_checkpoint(newest, signers.at(Checkpoint.parse(Note.parse(newest).body).size), signers.origin)
        then = open_checkpoint(kept, signers.at(size), signers.origin)
        if size > now.size:
            return Finding(now.size, "", f"missing: {size - now.size} record(s) at the end, which the {which} signed")
        proof = ledger.prove_consistency(size, now.size)
    except LedgerError as error:
        return Finding(None, "", f"{which}: {error}")
    if not verify_consistency(size, now.size, proof, (then.root, now.root)):
        return Finding(None, "", f"{which}: the ledger does not begin with what it signed")
    return None


def _signers(ledger: Ledger, trusted: Sequence[Verifier]) -> Signers:
    def refuse(_seq: int | None, _record: str, problem: str) -> None:
        raise LedgerError(problem)

    with ledger.store.read() as connection:
        return read_signers(connection, trusted, refuse)


def verify_ledger(ledger: Ledger, *, trusted: Sequence[Verifier] = (), against: Sequence[str] = ()) -> Verification:
    """Verify everything as it stands now, reading each entry once; others may append meanwhile.

    Args:
        trusted: public keys known from elsewhere; the ledger's first key must be one of them, if any are given.
        against: older checkpoints kept elsewhere; the ledger must begin with what they signed.

    Raises:
        LedgerError: the database cannot be reached, or one of `against` is no checkpoint.
    """
    kept = [(Checkpoint.parse(Note.parse(text).body).size, text) for text in against]
    with ledger.store.read() as connection:
        walk = LedgerWalk(ledger, connection, trusted, kept)
        walk.whole()
    frontier, keys = walk.state.frontier, tuple(verifier.text for _, verifier in walk.signers.keys)
    counted = (walk.checked, walk.erased, walk.expired)
    return Verification(walk.signers.origin, frontier.size, frontier.root.hex(), *counted, keys, tuple(walk.findings))


def with_mark(ledger: Ledger, found: Verification) -> Verification:
    """What was found, and whether the ledger is older than what this machine last saw of it."""
    try:
        problem = ledger.watch.problem()
    except (LedgerError, ValueError, TypeError, LookupError, OverflowError):  # damaged, as `found` says
        return found
    return replace(found, findings=(*found.findings, Finding(None, "", problem))) if problem else found
