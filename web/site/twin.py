"""The JSON twin of a page: whether it is asked for, and its context in JSON's types."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np
from flask import current_app, request

from pathfolio.explain.evidence import Fact, Path, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.web.site.prices import PriceHistory


def wants_json() -> bool:
    """Whether JSON is asked for: by `?format=json`, by the address, or by an Accept header that prefers it."""
    wanted = request.args.get("format")
    if wanted:
        return wanted == "json"
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(("text/html", "application/json"), default="text/html")
    return best == "application/json"


def in_json(value: object, lang: str) -> bytes:
    """`value` as the bytes of JSON that the site answers with; the process need not be the one that answers."""
    return current_app.json.dumps(as_json(value, lang)).encode() + b"\n"


def as_json(value: object, lang: str) -> Any:
    """`value` in JSON's types; names of nodes in `lang`, dates as ISO 8601, what is not known as null.

    >>> from datetime import date
    >>> as_json({"day": date(2026, 6, 30), "weight": float("nan")}, "en")
    {'day': '2026-06-30', 'weight': None}
    """
    match value:
        case PathNode() | Path():
            out: Any = value.to_json(lang)
        case Explanation() | Fact() | PriceHistory():
            out = value.to_json()
        case date():
            out = value.isoformat()
        case float() | np.floating():
            out = None if np.isnan(value) else float(value)
        case dict():
            out = {str(key): as_json(item, lang) for key, item in value.items()}
        case list() | tuple():
            out = [as_json(item, lang) for item in value]
        case _ if is_dataclass(value):
            out = {f.name: as_json(getattr(value, f.name), lang) for f in fields(value)}
        case _:
            out = value
    return out
