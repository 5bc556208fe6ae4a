"""Answers are sent compressed to whoever takes that, and files that carry the mark of their content are kept for good.

What is compressed beside a secret can tell of it by its length (BREACH). So a page's length is blurred: its gzip header
has a file name of random length, as Django's has. Files hold no secrets; they are compressed once, as well as can be.
"""

from __future__ import annotations

import gzip
import io
import secrets
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import brotli
from flask import Flask, Response, request

SMALLEST: Final = 600
"""Fewer bytes are sent as they are."""

MOST_BLUR: Final = 100
_LEVEL: Final = 6
_TYPES: Final = frozenset(
    {"text/html", "text/css", "text/csv", "text/javascript", "application/javascript", "application/json",
     "application/openapi+json", "image/svg+xml"}
)  # fmt: skip
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


def register(app: Flask, mark_of: Callable[[str], str]) -> None:
    """Compress what the site answers; `mark_of` is the mark of a static file's content, which its address carries.

    Register it before whatever else changes answers: what is registered first sees them last.
    """

    @app.after_request
    def compress(response: Response) -> Response:
        is_file = request.endpoint == "static"
        if is_file and response.status_code == 200:
            _keep_for_good(response, mark_of)
        if response.mimetype not in _TYPES or (response.is_streamed and not is_file):
            return response
        response.vary.add("Accept-Encoding")
        wanted = request.accept_encodings
        form = "br" if is_file and wanted.quality("br") > 0 else "gzip"
        if response.status_code != 200 or response.content_encoding or wanted.quality(form) <= 0:
            return response
        response.direct_passthrough = False
        content = response.get_data()
        if len(content) >= SMALLEST:
            response.set_data(_as_file(content, form) if is_file else _as_page(content))
            response.content_encoding = form
            etag, _ = response.get_etag()
            if etag is not None:
                response.set_etag(etag, weak=True)  # the same content, in other bytes
        return response


def _keep_for_good(response: Response, mark_of: Callable[[str], str]) -> None:
    """Where the address has the mark of the content that is there."""
    name = str((request.view_args or {})["filename"])
    if request.args.get("v") == mark_of(name):
        response.headers["Cache-Control"] = _FOR_GOOD


@lru_cache(maxsize=128)
def _as_file(content: bytes, form: str) -> bytes:
    return bytes(brotli.compress(content)) if form == "br" else gzip.compress(content, mtime=0)


def _as_page(content: bytes) -> bytes:
    """As gzip, a random number of bytes longer."""
    out = io.BytesIO()
    name = "a" * secrets.randbelow(MOST_BLUR)
    with gzip.GzipFile(name, "wb", _LEVEL, out, mtime=0) as file:
        file.write(content)
    return out.getvalue()
