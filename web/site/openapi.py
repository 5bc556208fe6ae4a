"""The description of the site's JSON (OpenAPI 3.1), made from what the views declare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from flask import Flask
from msgspec import json as msgspec_json
from werkzeug.routing import Rule

from pathfolio.explain.wording import LANGUAGES
from pathfolio.web.site.access.guard import is_limited
from pathfolio.web.site.access.roles import PERMISSIONS, Permission
from pathfolio.web.site.converters import IdConverter
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.parameters import Argument
from pathfolio.web.site.recorded import RECORD_HEADER
from pathfolio.web.site.request_limits import WrongQuestion
from pathfolio.web.site.schemas import PLACE, schemas_of, written
from pathfolio.web.site.stated import HEADER, LONGEST_PURPOSE
from pathfolio.web.site.view import ViewDeclaration, view_of

_PART: Final = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
_JSON: Final = "application/json"
_ERROR: Final = MappingProxyType({"$ref": "#/components/responses/Error"})
_SHARED: Final = ({"$ref": "#/components/parameters/format"}, {"$ref": "#/components/parameters/lang"})
_ABOUT_PERSONS: Final = frozenset({Permission.OWN_PAGES, Permission.INVESTORS})
_FOR_ALL_ROLES: Final = frozenset.intersection(*PERMISSIONS.values())


@cache
def openapi_document() -> dict[str, Any]:
    """The description; it is the same whatever build is served."""
    operations = list(_operations())
    shown = [found.view.answer for found in operations if found.view.answer is not None]
    bodies = [found.view.body for found in operations if found.view.body is not None]
    kinds = [*shown, *bodies, ErrorPage, WrongQuestion]
    schemas, named = schemas_of(kinds)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method] = each.described(schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pathfolio",
            "version": "1",
            "summary": "Recommendations with their evidence, each recorded before it is shown",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {**_components(), "schemas": named},
    }


@dataclass(frozen=True)
class _Operation:
    """One way to ask: a path, a method, and the view that answers."""

    path: str
    method: str
    endpoint: str
    view: ViewDeclaration
    in_path: frozenset[str]

    def described(self, schema_of: dict[type, dict[str, object]]) -> dict[str, Any]:
        """As it stands in the description."""
        out: dict[str, Any] = {"operationId": self.endpoint, "summary": self.view.summary, "tags": [self.view.tag]}
        if self.view.about:
            out["description"] = self.view.about
        out["parameters"] = [*self._parameters(), *(_SHARED if self._is_page else _SHARED[1:])]
        if self.view.body is not None:
            out["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema_of[self.view.body]}}}
        errors = {str(status): self._error(status, schema_of) for status in sorted(set(self._errors()))}
        out["responses"] = {"200": self._answer(schema_of), **errors}
        return out

    @property
    def _is_page(self) -> bool:
        """Whether it is asked by `?format=json` for JSON instead of the page."""
        return self.view.answer is not None and self.method == "get"

    def _parameters(self) -> Iterator[dict[str, Any]]:
        for argument in self.view.arguments:
            yield _parameter(argument, "path" if argument.name in self.in_path else "query")
        if self.view.for_purpose or self.view.permission in _ABOUT_PERSONS:
            yield _purpose(required=self.view.for_purpose)

    def _answer(self, schema_of: dict[type, dict[str, object]]) -> dict[str, Any]:
        if self.view.answer is None:
            binary = {"type": "string", "format": "binary"}
            return {"description": "the file", "content": {self.view.media: {"schema": binary}}}
        content = {_JSON: {"schema": schema_of[self.view.answer]}}
        out: dict[str, Any] = {"description": "the answer", "content": content}
        if self.view.recorded:
            about = "id of the record that was written before this was shown"
            out["headers"] = {RECORD_HEADER: {"description": about, "schema": {"type": "string"}, "required": True}}
        return out

    def _error(self, status: int, schema_of: dict[type, dict[str, object]]) -> dict[str, Any]:
        if status == HTTPStatus.FOUND:
            return {"description": "nobody has signed in: to the page for that"}
        told = {HTTPStatus.BAD_REQUEST, *(self.view.errors if self.view.tells_errors else ())}
        if status in told and self.view.body is not None:
            either: list[dict[str, object]] = [{"$ref": PLACE.format(name=name)} for name in ("WrongQuestion", "Error")]
            if self.view.tells_errors:
                either.append(schema_of[self.view.answer])
            content: dict[str, Any] = {_JSON: {"schema": {"anyOf": either}}}
            if self.view.tells_errors:
                content["text/html"] = {"schema": {"type": "string"}}
            return {"description": "what is wrong with the question, and the remedy", "content": content}
        return dict(_ERROR)

    def _errors(self) -> Iterator[int]:
        """Statuses that follow from who may ask for what, and those that the view names itself."""
        yield 400  # any address may hold what no page could take
        yield from self.view.errors
        permission = self.view.permission
        if permission is not Permission.ANYONE:
            yield 401
            if self.view.answer is None:
                yield 302
        if permission not in _FOR_ALL_ROLES:
            yield 403
        if self.in_path:
            yield 404
        if self.view.for_purpose or permission in _ABOUT_PERSONS:
            yield 428
        if self.view.for_purpose or self.view.recorded:
            yield 503
        if is_limited(self.endpoint):
            yield 429


def _operations() -> Iterator[_Operation]:
    from pathfolio.web.site.app import PAGES  # it knows this page, too

    app = Flask(__name__)
    app.url_map.converters["id"] = IdConverter
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    for rule in app.url_map.iter_rules():
        view = view_of(app.view_functions[rule.endpoint])
        if view is not None and view.tag:
            yield from _of_rule(rule, view)


def _of_rule(rule: Rule, view: ViewDeclaration) -> Iterator[_Operation]:
    path = _PART.sub(r"{\1}", rule.rule)
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        yield _Operation(path, method.lower(), rule.endpoint, view, frozenset(rule.arguments))


def _parameter(argument: Argument, place: str) -> dict[str, Any]:
    schema = msgspec_json.schema(written(argument.kind))
    about = {"description": schema.pop("description")} if "description" in schema else {}
    required = argument.required or place == "path"
    return {"name": argument.name, "in": place, "required": required, **about, "schema": schema}


def _purpose(*, required: bool) -> dict[str, Any]:
    about = "why records are looked at; it is recorded" if required else "why staff look at a person; it is recorded"
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_PURPOSE}
    return {"name": HEADER, "in": "header", "description": about, "required": required, "schema": schema}


def _components() -> dict[str, Any]:
    lang = {"type": "string", "enum": list(LANGUAGES)}
    text = {"schema": {"type": "string"}}
    error = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "from `pathfolio accounts token`; not needed where the site has no accounts",
            }
        },
        "parameters": {
            "lang": {
                "name": "lang",
                "in": "query",
                "description": "language of names and sentences",
                "schema": lang,
            },
            "format": {
                "name": "format",
                "in": "query",
                "required": True,
                "description": "JSON instead of the page; or send Accept: application/json",
                "schema": {"type": "string", "enum": ["json"]},
            },
        },
        "responses": {
            "Error": {
                "description": "what went wrong, and the remedy",
                "content": {_JSON: error, "text/html": text, "text/plain": text},
            }
        },
    }
