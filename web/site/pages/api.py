"""The API's own description (OpenAPI 3.1)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.openapi import openapi_document
from pathfolio.web.site.view import view

__all__ = ["blueprint", "openapi_document"]

blueprint = Blueprint("api", __name__)


@blueprint.get("/openapi.json")
@view(Permission.ANYONE)
def openapi() -> Response:
    """The description of the JSON API; it holds no data."""
    return jsonify(openapi_document())
