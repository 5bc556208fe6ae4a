"""Pages of the site by role: found by following links, a few of each kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from pathfolio.web.site.access.roles import AccountRole
from tests.web.site_world import signed_in

OF_A_KIND = 2
"""So many pages of one route, asked with the same parameters, are looked at."""

_LINK = re.compile(r'(?:href|action)="(/[^"#]*)')
_NO_PAGES = ("/static/", "/sign-out", "/openapi.json")


def visitor(app: Flask, role: AccountRole) -> FlaskClient:
    """A browser in which the sample's account of a role has signed in and has said why it looks at people."""
    client = signed_in(app, role.value)
    client.environ_base["HTTP_PATHFOLIO_PURPOSE"] = "test"
    return client


def pages(
    client: FlaskClient, lang: str, starts: tuple[str, ...] = ("/",), most: int = 60, of_a_kind: int = OF_A_KIND
) -> Iterator[tuple[str, str]]:
    """Address and HTML of the pages that links lead to, those of each kind that come first."""
    app = client.application
    adapter = app.url_map.bind("localhost")
    todo, seen, kinds = list(starts), set(starts), Counter[tuple[str, ...]]()
    while todo and most:
        url = todo.pop(0)
        response = client.get(url, headers={"Accept-Language": lang})
        if response.mimetype != "text/html":
            continue
        most -= 1
        yield url, response.text
        for found in map(unescape, _LINK.findall(response.text)):
            parts = urlsplit(found)
            names = sorted({name for name, _ in parse_qsl(parts.query)} - {"lang"})
            if found in seen or found.startswith(_NO_PAGES) or "format=" in found or "lang=" in found:
                continue
            if not adapter.test(parts.path, "GET"):
                continue
            kind = (adapter.match(parts.path, "GET")[0], *names)
            kinds[kind] += 1
            if kinds[kind] <= of_a_kind:
                seen.add(found)
                todo.append(found)


def addresses(client: FlaskClient, lang: str) -> list[str]:
    """An address of each kind of page, and of what is asked for when somebody is signed out or looks for nothing."""
    starts = ("/", "/search?q=a", "/search?q=zzzz", "/no")
    return [url for url, _ in pages(client, lang, starts, of_a_kind=1) if not url.endswith(".html")]
