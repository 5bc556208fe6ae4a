"""Security headers: nothing from elsewhere, no script or style but the site's own files."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Final

from flask import Flask, Response, request

_YEAR: Final = 365 * 24 * 3600


@cache
def content_policy() -> str:
    """The Content-Security-Policy; the one style element that a path picture brings is allowed by its hash."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'sha256-{_picture_style_hash()}'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def register(app: Flask) -> None:
    """Put the headers on every response."""

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = content_policy()
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if request.endpoint != "static" or response.status_code >= 400:
            headers["Cache-Control"] = "no-store"  # pages are about persons, and name who is signed in
        if app.config["SESSION_COOKIE_SECURE"]:
            headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
        return response


def _picture_style_hash() -> str:
    template = resources.files("pathfolio.explain").joinpath("templates", "picture.svg.j2").read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", template, re.DOTALL)
    digest = hashlib.sha256(style.group(1).encode() if style else b"").digest()
    return base64.b64encode(digest).decode()
