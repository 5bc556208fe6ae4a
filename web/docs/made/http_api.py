"""The reference of the HTTP API, from the description that the site itself serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pathfolio.web.docs.made.markdown import code, plain, table
from pathfolio.web.site.pages.api import openapi_document

Json = Mapping[str, Any]


def http_api() -> str:
    """Every path with its parameters and answers."""
    document = openapi_document()
    return "\n\n".join(
        part
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, Mapping) and "responses" in operation
        for part in _operation(document, f"{method.upper()} {path}", operation)
    )


def _operation(document: Json, title: str, operation: Json) -> Iterator[str]:
    yield f"## {code(title)}"
    told = [operation.get("summary"), operation.get("description")]
    yield " ".join(f"{plain(text).rstrip('.')}." for text in told if text)
    rows = [_parameter(_resolved(document, item)) for item in operation.get("parameters", [])]
    if rows:
        yield table(["parameter", "where", "meaning"], rows)
    if "requestBody" in operation:
        yield f"Asked with {_content(_resolved(document, operation['requestBody']))}."
    answers = [_answer(status, _resolved(document, item)) for status, item in operation["responses"].items()]
    yield table(["status", "answer"], answers)


def _resolved(document: Json, item: Json) -> Json:
    """What a reference within the document stands for."""
    while "$ref" in item:
        found: Any = document
        for name in str(item["$ref"]).removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        item = found
    return item


def _parameter(item: Json) -> tuple[str, str, str]:
    schema = item.get("schema", {})
    allowed = f" One of {', '.join(code(str(value)) for value in schema['enum'])}." if "enum" in schema else ""
    required = " *Required.*" if item.get("required") else ""
    told = plain(str(item.get("description", "")))
    return code(item["name"]), str(item["in"]), f"{told[:1].upper()}{told[1:]}{allowed}{required}"


def _answer(status: str, item: Json) -> tuple[str, str]:
    content = _content(item)
    return code(status), f"{plain(str(item.get('description', '')))}{f': {content}' if content else ''}"


def _content(item: Json) -> str:
    """The kinds of content and what each is called."""
    return ", ".join(
        f"{code(kind)} {code(str(content.get('schema', {}).get('$ref', '')).rpartition('/')[2])}".strip()
        for kind, content in item.get("content", {}).items()
    )
