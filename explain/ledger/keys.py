"""The ledger's keys: the one that signs checkpoints, and the master key that wraps the keys of persons.

Each comes from the environment or from a file that is made at first use, readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pathfolio.explain.ledger.note import Verifier
from pathfolio.kg.errors import LedgerError

SIGNING_VARIABLE: Final = "PATHFOLIO_LEDGER_KEY"
NEXT_VARIABLE: Final = "PATHFOLIO_LEDGER_NEXT_KEY"
"""The key that signs after the next change of key, where keys are in the environment: all servers know it before."""
MASTER_VARIABLE: Final = "PATHFOLIO_LEDGER_MASTER_KEY"
SIGNING_FILE: Final = "signing.key"
MASTER_FILE: Final = "master.key"

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


@dataclass(frozen=True)
class SigningKey:
    """The Ed25519 key that signs checkpoints, as its 32 bytes of seed."""

    seed: bytes

    @cached_property
    def private(self) -> Ed25519PrivateKey:
        """The key for `cryptography`."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def verifier(self, origin: str) -> Verifier:
        """The public half, under the name of the ledger."""
        return Verifier(origin, self.private.public_key().public_bytes_raw())


@dataclass(frozen=True)
class MasterKey:
    """Wraps the keys of persons and makes the index by which their keys are found; 32 bytes."""

    secret: bytes

    @cached_property
    def _wrapping(self) -> AESGCM:
        return AESGCM(self._derived(b"wrap"))

    @cached_property
    def _index(self) -> bytes:
        return self._derived(b"index")

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"pathfolio ledger " + purpose).derive(self.secret)

    def subject(self, person: str) -> str:
        """By what a person's key is found: a keyed hash, 64 hex digits, of no use without this key."""
        return hmac.new(self._index, person.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()

    def wrap(self, key_id: str, subject: str, data_key: bytes) -> bytes:
        """`data_key` encrypted, bound to its id and to whose it is."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, data_key, f"{key_id} {subject}".encode())

    def unwrap(self, key_id: str, subject: str, wrapped: bytes) -> bytes:
        """The data key again; raises LedgerError where another master key wrapped it or the row was altered."""
        for bound in (f"{key_id} {subject}", key_id):  # the latter by ledgers from before subjects were bound
            with contextlib.suppress(InvalidTag, ValueError):
                return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound.encode())
        remedy = f"set {MASTER_VARIABLE} to the key that the ledger was made with"
        raise LedgerError(f"person key {key_id}: this master key does not open it, or it was altered: {remedy}")


def signing_key(
    folder: Path, environ: Mapping[str, str], *, create: bool, name: str = SIGNING_FILE
) -> SigningKey | None:
    """The key in the environment or in `folder`; made there if `create`, else None where there is none."""
    secret = _secret(SIGNING_VARIABLE, folder / name, environ, create=create)
    return None if secret is None else SigningKey(secret)


def next_key(environ: Mapping[str, str]) -> SigningKey | None:
    """The key in the environment that is to sign after the next change of key, if there is one."""
    text = environ.get(NEXT_VARIABLE)
    return SigningKey(_decoded(text, NEXT_VARIABLE)) if text else None


def master_key(folder: Path, environ: Mapping[str, str], *, create: bool) -> MasterKey | None:
    """As `signing_key`, for the master key."""
    secret = _secret(MASTER_VARIABLE, folder / MASTER_FILE, environ, create=create)
    return None if secret is None else MasterKey(secret)


def write_secret(path: Path, secret: bytes) -> None:
    """Write a key file that only its owner can read, whole or not at all; raises FileExistsError where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secret) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    finally:
        Path(aside).unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write through to the disk which files the folder has."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _secret(variable: str, path: Path, environ: Mapping[str, str], *, create: bool) -> bytes | None:
    if environ.get(variable):
        return _decoded(environ[variable], variable)
    if not path.exists():
        if not create:
            return None
        try:
            write_secret(path, secrets.token_bytes(KEY_BYTES))
        except FileExistsError:
            pass  # another process was faster; its key is the one
        except OSError as error:
            raise LedgerError(f"{path}: cannot make the key file ({error.strerror}): set {variable}") from None
    return _decoded(_read(path, variable), str(path))


def _read(path: Path, variable: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise LedgerError(f"{path}: cannot read the key ({error.strerror}): set {variable}") from None
    if os.name == "posix" and mode & 0o077:
        raise LedgerError(f"{path}: others may read this key (mode {mode & 0o777:o}): chmod 600 {path}")
    return text


def _decoded(text: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise LedgerError(
            f"{where}: not a key: it must be {KEY_BYTES} bytes in base64, as `openssl rand -base64 32` prints"
        )
    return secret
