"""One entry of the ledger: a header that anyone may read, and a payload that only a person's key opens.

leaf = header as canonical JSON, a newline, body. The body is nonce || AES-256-GCM(zlib(payload)), or the payload
itself where it is about no person. The AES key is HMAC-SHA256(person's key, "record " + id), the additional data
are the id, a space and the key's id. The leaf's hash covers all of it, so an erased key leaves the tree whole.
"""

from __future__ import annotations

import hmac
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.keys import NONCE_BYTES
from pathfolio.explain.ledger.payloads import Payload
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.kg.errors import LedgerError

SEALED: Final = "aes256gcm-zlib"
PLAIN: Final = "json"

CLOCK_TAG: Final = "clock"
"""The header's tag for what the clock showed, where that is earlier than the entry before: times never go back."""


Said = TypeVar("Said", bound=Payload)


class GoneError(LedgerError):
    """What was recorded can no longer be read: its person was erased, or its retention ended."""


class AlteredError(LedgerError):
    """What stands there is not what was recorded."""


@dataclass(frozen=True)
class Draft:
    """An entry on its way in: everything but its place.

    Attributes:
        kind: recommendation, access, hold, …
        payload: canonical JSON, compressed or not.
        subject: keyed hash of the person it is about, empty for none.
        retention: the class that says how long it is kept.
        time: when it was made by the clock, UTC.
        tags: what the header says in the open beside that (a build's hash, …); nothing personal.
    """

    id: str
    kind: str
    payload: bytes | Squeezed
    subject: str
    retention: str
    time: datetime
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Header:
    """What stands in the open: no personal data.

    Attributes:
        seq: place in the tree, from 0.
        id: by which people name it; 16 hex digits.
        key: id of the person's key, empty where the payload is open.
        prev: leaf hash of the entry before it, in hex; empty for the first.
        time: ISO 8601, UTC; never earlier than that of the entry before.
    """

    seq: int
    id: str
    kind: str
    key: str
    retention: str
    time: str
    prev: str
    tags: dict[str, str]

    @property
    def is_altered(self) -> bool:
        """Whether the entry's row stands in for it (`header_of`): every header that was written names its retention."""
        return not self.retention

    @property
    def moment(self) -> datetime:
        """`time` as a datetime in UTC."""
        return datetime.fromisoformat(self.time)


@dataclass(frozen=True)
class WrittenHeader(Header):
    """As it stands in the leaf, with how the payload is written: `SEALED` or `PLAIN`."""

    body: str


_HEADER: Final = msgspec.json.Decoder(Header)
_WRITTEN: Final = msgspec.json.Decoder(WrittenHeader)
SomeHeader = TypeVar("SomeHeader", bound=Header)


def new_id() -> str:
    """A random id of 16 hex digits."""
    return secrets.token_hex(8)


def time_text(moment: datetime) -> str:
    """`moment` in UTC with microseconds, always of the same length."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class EntryPlace:
    """Where an entry goes: its number, the hash of the one before it in hex, and its time and tags there."""

    seq: int
    prev: str
    time: str
    tags: Mapping[str, str]


def make_leaf(draft: Draft, place: EntryPlace, key_id: str, data_key: bytes | None) -> bytes:
    """The bytes of an entry in its place; sealed where there is a key."""
    header = WrittenHeader(
        seq=place.seq,
        id=draft.id,
        kind=draft.kind,
        key=key_id,
        retention=draft.retention,
        time=place.time,
        prev=place.prev,
        tags=dict(place.tags),
        body=PLAIN if data_key is None else SEALED,
    )
    body = _plain(draft.payload) if data_key is None else _sealed(draft, key_id, data_key)
    return canonical(header) + b"\n" + body


def _plain(payload: bytes | Squeezed) -> bytes:
    return payload.text if isinstance(payload, Squeezed) else payload


def record_key(data_key: bytes, record_id: str) -> bytes:
    """The key of one record, so that a case can be handed out without opening the person's other records."""
    return hmac.digest(data_key, b"record " + record_id.encode(), "sha256")


def _sealed(draft: Draft, key_id: str, data_key: bytes) -> bytes:
    nonce, key = secrets.token_bytes(NONCE_BYTES), record_key(data_key, draft.id)
    payload = draft.payload
    squeezed = payload if isinstance(payload, Squeezed) else Squeezed.of(payload)
    return nonce + AESGCM(key).encrypt(nonce, squeezed.stream, f"{draft.id} {key_id}".encode())


def read_header(leaf: bytes) -> Header:
    """The header of a leaf; raises AlteredError where it has none."""
    return _read(leaf, _HEADER)


def _read(leaf: bytes, decoder: msgspec.json.Decoder[SomeHeader]) -> SomeHeader:
    try:
        return decoder.decode(leaf[: leaf.index(b"\n")])
    except (ValueError, msgspec.DecodeError):
        raise AlteredError(
            "an entry without a readable header: it was altered: `pathfolio audit verify` tells which"
        ) from None


def header_of(row: sa.Row[Any]) -> Header:
    """The header of an entry's row; where it does not say what the row says, the row alone, so that it can be named."""
    said = row.seq, row.id, row.kind, row.key_id, row.time
    try:
        header = read_header(bytes(row.data))
    except (AlteredError, TypeError):
        header = None
    if header is not None and (header.seq, header.id, header.kind, header.key, header.time) == said:
        return header
    return Header(row.seq, row.id, row.kind, row.key_id, retention="", time=row.time, prev="", tags={})


def open_payload(leaf: bytes, data_key: bytes | None, said: type[Said]) -> Said:
    """The payload of a leaf, read as what such an entry says; raises as `open_text`."""
    text = open_text(leaf, data_key)
    try:
        return msgspec.json.decode(text, type=said)
    except msgspec.DecodeError:
        raise AlteredError(f"record {read_header(leaf).id}: cannot be read: it was altered") from None


def open_text(leaf: bytes, data_key: bytes | None) -> bytes:
    """The payload of a leaf, as it was written.

    Raises:
        GoneError: it is sealed, and there is no key any more.
        AlteredError: the key does not open it, or it is not as it was written.
    """
    header = _read(leaf, _WRITTEN)
    name, body = f"record {header.id}", leaf.split(b"\n", 1)[1]
    if header.body == PLAIN:
        return body
    if data_key is None:
        raise GoneError(f"{name}: its key was destroyed: the person was erased, only its proof is left")
    nonce, rest = body[:NONCE_BYTES], body[NONCE_BYTES:]
    try:
        opened = AESGCM(record_key(data_key, header.id)).decrypt(nonce, rest, f"{header.id} {header.key}".encode())
        return zlib.decompress(opened)
    except InvalidTag:
        raise AlteredError(f"{name}: its key does not open it: it was altered") from None
    except (ValueError, zlib.error):
        raise AlteredError(f"{name}: cannot be read: it was altered") from None
