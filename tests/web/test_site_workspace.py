"""The workspace of one investor: its pages have one head and one navigation."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.build import Build
from pathfolio.web.site.texts import texts_of
from pathfolio.web.site.workspace import WORKSPACE
from tests.web.plain_site import app, client

__all__ = ["app", "client"]  # fixtures


def navigation(page: str) -> list[tuple[str, str, str]]:
    """(address, aria-current, text) of each link of the workspace's navigation."""
    found = re.search(r'<nav class="workspace[^>]*>(.*?)</nav>', page, re.DOTALL)
    assert found is not None
    return re.findall(r'<a href="([^"]+)"(?: aria-current="(\w+)")?>([^<]+)</a>', found.group(1))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_page_leads_to_all_others_and_marks_itself(client: FlaskClient, build: Build, lang: str) -> None:
    user = str(build.graph.user_ids[3])
    addresses = [address for address, _, _ in navigation(client.get(f"/investors/{user}").text)]
    assert len(addresses) == len(WORKSPACE)
    for at, (address, entry) in enumerate(zip(addresses, WORKSPACE, strict=True)):
        page = client.get(f"{address}?lang={lang}")
        assert page.status_code == 200
        links = navigation(page.text)
        assert [link[0] for link in links] == addresses
        assert [bool(link[1]) for link in links] == [each == at for each in range(len(links))]
        assert links[at][1:] == ("page", texts_of(lang).say(entry.text))


def test_the_page_of_one_asset_belongs_to_the_list(client: FlaskClient, build: Build) -> None:
    user = str(build.graph.user_ids[3])
    why = re.search(rf'href="(/investors/{user}/assets/[^"?]+)', client.get(f"/investors/{user}").text)
    assert why is not None
    page = client.get(why.group(1)).text
    assert next(link[1] for link in navigation(page)) == "true"
    assert page.count("<h1") == 1
