"""The reference of what a record holds and of an explanation's JSON, from its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from pathfolio.web.docs.made.markdown import code, plain, table

Json = Mapping[str, Any]


def record_format() -> str:
    """The objects of `explanation.schema.json`, property by property."""
    text = resources.files("pathfolio.explain").joinpath("explanation.schema.json").read_text(encoding="utf-8")
    schema: Json = json.loads(text)
    return "\n\n".join(_objects(schema))


def _objects(schema: Json) -> Iterator[str]:
    yield _object("Explanation", schema)
    for name, definition in schema.get("$defs", {}).items():
        if "properties" in definition:
            yield _object(name, definition)


def _object(name: str, schema: Json) -> str:
    rows = [(code(key), _type(value), _told(value)) for key, value in schema["properties"].items()]
    told = _told(schema)
    return f"## {name}\n\n{told}\n\n{table(['property', 'type', 'meaning'], rows)}"


def _told(value: Json) -> str:
    return plain(str(value.get("description", "")))


def _type(value: Json) -> str:
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "anyOf" in value or "oneOf" in value:
        return " or ".join(_type(item) for item in value.get("anyOf", value.get("oneOf", [])))
    found = value.get("type", "")
    kinds = " or ".join(found) if isinstance(found, list) else str(found)
    return f"{kinds} of {_type(value['items'])}" if "items" in value else kinds
