"""The purpose for which somebody looks at persons' data, as they stated it themselves."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from flask import request, session

from pathfolio.web.site.access.guard import current_access, visitor

HEADER: Final = "Pathfolio-Purpose"
"""In it programs say why they look; what is not ASCII stands as in an address (%E6%9F%A5)."""

LONGEST_PURPOSE: Final = 200
_KEY: Final = "purpose"


def stated_purpose() -> str:
    """What the visitor wrote when they began, or a program sends; never what a link says, which others may write."""
    given = unquote(request.headers.get(HEADER, "")) or session.get(_KEY) or ""
    return str(given).strip()[:LONGEST_PURPOSE]


def keep_purpose(purpose: str) -> None:
    """Remember the purpose for the visitor's next looks."""
    session[_KEY] = purpose.strip()[:LONGEST_PURPOSE]


def needs_purpose(user_id: str | None) -> bool:
    """Whether it is for staff to say why they look at this investor, or at many (None): not for the investor, nor for
    whoever serves a build to this machine alone."""
    return current_access().accounts is not None and (user_id is None or visitor().investor_id != user_id)


def purpose_towards(user_id: str) -> str:
    """What stands in the record of the look; empty where none is needed."""
    return stated_purpose() if user_id and needs_purpose(user_id) else ""
