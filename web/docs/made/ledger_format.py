"""What stands in the ledger: a record, and every kind of entry, from the structs that write and read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

import msgspec

from pathfolio.explain.ledger import payloads
from pathfolio.explain.ledger.payloads import Payload
from pathfolio.explain.records import audience_record, everybody, keep, portfolio_record, telling, uses
from pathfolio.explain.records.layout import Record
from pathfolio.web.docs.made.markdown import code, plain, table
from pathfolio.web.site.schemas import described

_NAMES: Final[Mapping[object, str]] = MappingProxyType(
    {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}
)


_ROOMS: Final = (payloads, keep, uses, everybody, audience_record, telling, portfolio_record)
"""Where kinds of entry are declared."""


def record_structs() -> str:
    """`Record` and all that stands in it, struct by struct."""
    return "\n\n".join(map(_struct, _reached(Record, {})))


def entry_structs() -> str:
    """The kinds of entry beside records, as their rooms declare them."""
    return "\n\n".join(map(_entry, sorted(set(_entries()), key=lambda kind: kind.entry_kind)))


def _entries() -> Iterator[type[Payload]]:
    for room in _ROOMS:
        for found in vars(room).values():
            if isinstance(found, type) and issubclass(found, Payload) and "entry_kind" in vars(found):
                yield found


def _entry(kind: type[Payload]) -> str:
    return f"{_struct(kind)}\n\nKind: {code(kind.entry_kind)}, kept as {code(kind.retention)}."


def _reached(kind: type[msgspec.Struct], known: dict[type[msgspec.Struct], None]) -> list[type[msgspec.Struct]]:
    """`kind` and the structs that its fields hold, each once, in the order in which they come up."""
    if kind not in known:
        known[kind] = None
        for hint in get_type_hints(kind).values():
            for part in _structs_in(hint):
                _reached(part, known)
    return list(known)


def _structs_in(hint: object) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for part in get_args(hint):
        yield from _structs_in(part)


def _struct(kind: type[msgspec.Struct]) -> str:
    about, said = described(kind)
    hints = get_type_hints(kind)
    rows = [
        (
            code(each.encode_name),
            _type(hints[each.name]),
            "**yes**" if each.required else "",
            plain(said.get(each.name, "")),
        )
        for each in msgspec.structs.fields(kind)
    ]
    form = " Written as an array." if kind.__struct_config__.array_like else ""
    return f"### {kind.__name__}\n\n{plain(about)}{form}\n\n{table(['field', 'type', 'always', 'meaning'], rows)}"


def _type(hint: object) -> str:
    parts = [part for part in get_args(hint) if part is not Ellipsis]
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in parts if part is not msgspec.UnsetType)
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"object of {_type(parts[1])}"
    return _NAMES.get(hint) or str(getattr(hint, "__name__", hint))
