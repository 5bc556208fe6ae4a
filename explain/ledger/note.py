"""Signed notes and checkpoints: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pathfolio.kg.errors import LedgerError

_ED25519: Final = b"\x01"


@dataclass(frozen=True)
class Verifier:
    """A name and its Ed25519 public key (32 bytes)."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || 0x01 || key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The verifier key as one line: name+id+key."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read `text` again; raises LedgerError where it is not a verifier key."""
        try:
            name, key_id, coded = text.strip().split("+", 2)
            raw = base64.b64decode(coded, validate=True)
            verifier = cls(name, raw[1:])
            if raw[:1] == _ED25519 and len(raw) == 33 and verifier.key_id.hex() == key_id:
                return verifier
        except (ValueError, binascii.Error):
            pass
        raise LedgerError(f"not a verifier key: {text.strip()[:60]!r}: it has the form name+8 hex digits+base64")

    def holds_for(self, note: Note) -> bool:
        """Whether one of the note's signatures is by this key."""
        key = Ed25519PublicKey.from_public_bytes(self.public)
        for name, blob in note.signatures:
            if name == self.name and blob[:4] == self.key_id:
                try:
                    key.verify(blob[4:], note.body.encode())
                except InvalidSignature:
                    continue
                return True
        return False


@dataclass(frozen=True)
class Note:
    """A text that ends with a newline, and its signatures as (name, key id || signature)."""

    body: str
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def text(self) -> str:
        """As it is stored and handed out."""
        lines = (f"— {name} {base64.b64encode(blob).decode()}\n" for name, blob in self.signatures)
        return f"{self.body}\n{''.join(lines)}"

    @classmethod
    def parse(cls, text: str) -> Note:
        """Read a signed note; raises LedgerError where it is none."""
        body, gap, rest = text.rpartition("\n\n")
        try:
            signatures = tuple(_signature(line) for line in rest.splitlines())
        except (ValueError, binascii.Error):
            signatures = ()
        note = cls(body + "\n", signatures)
        if not gap or not signatures or note.text != text:  # base64 has several texts for some bytes: one is right
            raise LedgerError("not a signed note: it needs a text, an empty line and lines that begin with '— '")
        return note

    @classmethod
    def sign(cls, body: str, verifier: Verifier, key: Ed25519PrivateKey) -> Note:
        """`body` signed by `key`, whose public half is in `verifier`."""
        return cls(body, ((verifier.name, verifier.key_id + key.sign(body.encode())),))


def _signature(line: str) -> tuple[str, bytes]:
    dash, name, coded = line.split(" ")
    blob = base64.b64decode(coded, validate=True)
    if dash != "—" or len(blob) < 5:
        raise ValueError(line)
    return name, blob


@dataclass(frozen=True)
class Checkpoint:
    """The head of a tree: whose it is, how many leaves, and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, body: str) -> Checkpoint:
        """Read a note's body; raises LedgerError where it is no checkpoint."""
        lines = body.split("\n")
        try:
            root = base64.b64decode(lines[2], validate=True)
            if len(root) == 32 and lines[1] == str(int(lines[1])):
                return cls(lines[0], int(lines[1]), root)
        except (ValueError, IndexError, binascii.Error):
            pass
        raise LedgerError("not a checkpoint: it needs an origin, a size and a root of 32 bytes, one a line")


def open_checkpoint(text: str, verifiers: Iterable[Verifier], origin: str) -> Checkpoint:
    """The checkpoint in a signed note, once one of `verifiers` has signed it for `origin`.

    Raises:
        LedgerError: it is not a checkpoint, not of this ledger, or not signed by any of them.
    """
    note = Note.parse(text)
    checkpoint = Checkpoint.parse(note.body)
    if checkpoint.origin != origin:
        raise LedgerError(f"a checkpoint of {checkpoint.origin!r}, not of {origin!r}: name the right ledger")
    if not any(verifier.holds_for(note) for verifier in verifiers):
        raise LedgerError(f"checkpoint at {checkpoint.size}: not signed by a key of this ledger: do not trust it")
    return checkpoint
