"""JSON Schemas of what pages show, from the types of their contexts: msgspec writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import resources
from inspect import cleandoc
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from pathfolio.explain.evidence import Fact, Path, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.records.find import Search
from pathfolio.explain.records.history import Comparison
from pathfolio.web.site.prices import PriceHistory

PLACE: Final = "#/components/schemas/{name}"
"""Where, in the description of the site, a schema stands."""

_ATTRIBUTE: Final = re.compile(r"^    ([\w, ]+?): +(.*(?:\n      +.*)*)", re.MULTILINE)


class Node(msgspec.Struct, forbid_unknown_fields=True):
    """A node of the graph; its id is null where other investors are summed up."""

    id: str | None
    kind: str
    name: str


class Closes(msgspec.Struct, forbid_unknown_fields=True):
    """An asset's closes, oldest first, in the asset's currency."""

    dates: list[str]
    closes: list[float]
    currency: str


class _Explained:
    """What `explanation.schema.json` describes."""


class _ExplainedFact:
    """A fact as `explanation.schema.json` describes it."""


class _ExplainedPath:
    """A path as `explanation.schema.json` describes it."""


_OTHERWISE: Final = MappingProxyType(
    {PathNode: Node, PriceHistory: Closes, Explanation: _Explained, Fact: _ExplainedFact, Path: _ExplainedPath}
)
"""What `as_json` writes otherwise than by its fields."""

_IN_FILE: Final[Mapping[type, str]] = MappingProxyType(
    {_Explained: "Explanation", _ExplainedFact: "Explanation_fact", _ExplainedPath: "Explanation_path"}
)

_NAMED: Final[Mapping[type, str]] = MappingProxyType({Search: "RecordSearch", Comparison: "RecordChanges"})
"""Schemas whose usual names pages have."""


def schemas_of(kinds: Iterable[type]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """For each type the schema of what `as_json` makes of it; and by name all schemas that these refer to."""
    found, named = msgspec.json.schema_components(
        [written(kind) for kind in kinds], schema_hook=_in_file, ref_template=PLACE
    )
    return list(found), {**named, **_of_explanations()}


@cache
def written(kind: Any) -> Any:
    """The type of what `as_json` makes of a value of the type `kind`.

    >>> written(tuple[PathNode, ...] | None) == tuple[Node, ...] | None
    True
    """
    if kind in _OTHERWISE:
        return _OTHERWISE[kind]
    origin = get_origin(kind)
    parts = get_args(kind)
    if origin is Annotated:
        return Annotated[(written(parts[0]), *parts[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(map(written, parts))]  # noqa: UP007 -- made of parts
    if origin is not None:
        return origin[tuple(map(written, parts))]
    return _struct(kind) if isinstance(kind, type) and is_dataclass(kind) else kind


def described(kind: type) -> tuple[str, dict[str, str]]:
    """What a class's docstring says of the class, and of each attribute that it lists.

    >>> class Pair:
    ...     '''Two numbers.
    ...
    ...     Attributes:
    ...         first, second: in the order
    ...             of their size.
    ...     '''
    >>> described(Pair)
    ('Two numbers.', {'first': 'in the order of their size.', 'second': 'in the order of their size.'})
    """
    about, _, attributes = cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    said = {
        name.strip(): " ".join(text.split())
        for names, text in _ATTRIBUTE.findall(attributes)
        for name in names.split(",")
    }
    return " ".join(about.split()), said


def _struct(kind: Any) -> Any:
    """A struct of the fields of a dataclass, all of them required, each described as the class does."""
    hints = get_type_hints(kind, include_extras=True)
    about, said = described(kind)
    columns = [
        (name, Annotated[column, Meta(description=said[name])] if name in said else column)
        for name, column in ((each.name, written(hints[each.name])) for each in fields(kind))
    ]
    name = _NAMED.get(kind, kind.__name__.removesuffix("Page").removesuffix("Twin"))
    return msgspec.defstruct(
        name, columns, forbid_unknown_fields=True, module=kind.__module__, namespace={"__doc__": about}
    )


def _in_file(kind: type[object]) -> dict[str, Any]:
    return {"$ref": PLACE.format(name=_IN_FILE[kind])}


def _of_explanations() -> dict[str, dict[str, Any]]:
    """`explanation.schema.json`, its definitions beside it."""
    text = resources.files("pathfolio.explain").joinpath("explanation.schema.json").read_text(encoding="utf-8")
    explanation = json.loads(text.replace("#/$defs/", PLACE.format(name="Explanation_")))
    parts = {f"Explanation_{name}": schema for name, schema in explanation.pop("$defs", {}).items()}
    whole = {name: value for name, value in explanation.items() if name not in {"$schema", "$id"}}
    return {"Explanation": whole, **parts}
