"""How the tests of the site read its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.build import Build


def investors(build: Build) -> list[str]:
    """Ids of the first investors: hostile by name, with many holdings, with none."""
    return [str(key) for key in build.graph.nodes.id[build.graph.users[:6]]]


def page_of(client: FlaskClient, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status, (url, response.text[:300])
    return response.text


def twin_of(client: FlaskClient, url: str) -> dict[str, Any]:
    response = client.get(url + ("&" if "?" in url else "?") + "format=json")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    found: dict[str, Any] = response.get_json()
    return found


def links(html: str, pattern: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'href="([^"]+)"', html) if re.match(pattern, unescape(url))]


def first_recommendation(client: FlaskClient, user: str) -> str:
    return links(page_of(client, f"/investors/{user}"), rf"/investors/{user}/assets/")[0]


def all_pages(client: FlaskClient, build: Build) -> Iterator[tuple[str, TestResponse]]:
    """Every page that can be reached from the home page in three steps, some of each kind, in both languages."""
    user = investors(build)[1]
    why = first_recommendation(client, user)
    asset = "/assets/" + why.rpartition("/")[2]
    for url in ("/", "/search?q=a", "/search", f"/investors/{user}", f"/investors/{user}?kind=fund", why, asset, "/no"):
        for lang in LANGUAGES:
            yield url, client.get(url, headers={"Accept-Language": lang})
