"""The API's own description (OpenAPI 3.1)."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from flask import Blueprint, Response, jsonify

from pathfolio.web.site.access.guard import needs
from pathfolio.web.site.access.roles import Permission

blueprint = Blueprint("api", __name__)


@blueprint.get("/openapi.json")
@needs(Permission.ANYONE)
def openapi() -> Response:
    """The description of the JSON API; it holds no data."""
    return jsonify(openapi_document())


@cache
def openapi_document() -> dict[str, Any]:
    """`openapi.json` with the schema of explanations written out where it names it."""
    document: dict[str, Any] = json.loads(_text("pathfolio.web.site", "openapi.json"))
    schemas = document["components"]["schemas"]
    explanation = json.loads(_text("pathfolio.explain", "explanation.schema.json"))
    for name, definition in explanation.pop("$defs", {}).items():
        schemas[f"Explanation_{name}"] = definition
    for name in ("$schema", "$id"):
        explanation.pop(name, None)
    schemas["Explanation"] = explanation
    moved: dict[str, Any] = json.loads(json.dumps(document).replace("#/$defs/", "#/components/schemas/Explanation_"))
    return moved


def _text(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
