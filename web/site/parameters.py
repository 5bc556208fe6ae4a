"""What a view takes from the address: declared once, in its signature, which is what reads, checks and describes it.

A parameter of a view that its path does not name is an argument of the query, of the same name: a text, a whole number
or a day, with `Meta` of msgspec for its bounds and what is said of it. A dataclass stands for several arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from flask import abort, request
from msgspec import Meta

from pathfolio.kg.schema import ASSET_KIND_OF
from pathfolio.recommender.suitability.verdict import STATES

_ESCAPED: Final = '; "/" in it is written ~1, "~" is written ~0'
AssetId = Annotated[str, Meta(min_length=1, description=f"an asset's id{_ESCAPED}")]
InvestorId = Annotated[str, Meta(min_length=1, description=f"an investor's id{_ESCAPED}")]
RecordId = Annotated[str, Meta(min_length=1, description="a record's id of 16 hex digits, or its beginning")]
KindOfAsset = Annotated[
    str, Meta(description="only assets of this kind", extra_json_schema={"enum": list(ASSET_KIND_OF)})
]

Place = Annotated[int, Meta(ge=1)]
VerdictWord = Annotated[
    str, Meta(description="what the suitability rules make of it", extra_json_schema={"enum": list(STATES)})
]


@dataclass(frozen=True)
class Argument:
    """One argument of a query, or one part of a path.

    Attributes:
        kind: its type where it is given, with `Meta` for its bounds and what is said of it.
        usual: its value where it is not given, or given empty; None where it has no other.
    """

    name: str
    kind: Any
    usual: Any
    required: bool

    def read(self) -> Any:
        """Its value in the present request; answers 400 where it is not as declared.

        What is no number where a number is meant counts as not given.
        """
        text = request.args.get(self.name, "").strip()
        if not text:
            return self.usual
        if _is_whole(self.kind) and not text.removeprefix("-").isdecimal():
            return self.usual
        try:
            return msgspec.convert(text, self.kind, strict=False)
        except msgspec.ValidationError:
            return abort(400)


@dataclass(frozen=True)
class ArgumentGroup:
    """Arguments that stand together in a dataclass."""

    name: str
    kind: type
    arguments: tuple[Argument, ...]

    def read(self) -> Any:
        """The dataclass as the present request gives it."""
        return self.kind(**{argument.name: argument.read() for argument in self.arguments})


def parameters_of(view: Callable[..., object]) -> tuple[Argument | ArgumentGroup, ...]:
    """What a view takes, the parts of its path included."""
    hints = get_type_hints(view, include_extras=True)
    usual = {name: each.default for name, each in inspect.signature(view).parameters.items()}
    return tuple(_parameter(name, hints[name], value) for name, value in usual.items())


def _parameter(name: str, kind: object, usual: object) -> Argument | ArgumentGroup:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return ArgumentGroup(
            name, kind, tuple(_argument(each.name, hints[each.name], each.default) for each in fields(kind))
        )
    return _argument(name, kind, usual)


def _argument(name: str, kind: object, usual: object) -> Argument:
    required = usual is MISSING or usual is inspect.Parameter.empty
    return Argument(name, _given(kind), "" if required else usual, required)


def _given(kind: object) -> Any:
    """`kind` without None, which stands for what is not given.

    >>> _given(int | None), _given(str)
    (<class 'int'>, <class 'str'>)
    """
    there = tuple(part for part in get_args(kind) if part is not NoneType)
    return there[0] if isinstance(kind, UnionType) or get_origin(kind) is Union else kind


def _is_whole(kind: object) -> bool:
    return kind is int or any(map(_is_whole, get_args(kind)))
