"""Records as staff look for them: a line for each list, names in filters, and a word where nothing is or differs."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from pathfolio.recommender.build import Build
from tests.web.test_site_records import PURPOSE, app, client, found, ledger, served

__all__ = ["app", "client", "ledger", "served"]  # fixtures


def people(build: Build) -> list[str]:
    return [str(key) for key in build.graph.nodes.id[build.graph.users]]


def rows(html: str) -> list[str]:
    """The lines of the table of records."""
    table = html.partition('<table class="stacked records">')[2].partition("</table>")[0]
    return re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)


def test_a_list_that_is_shown_again_is_one_line_with_its_views(
    client: FlaskClient, served: list[str], small_build: Build
) -> None:
    user = people(small_build)[1]
    page = client.get("/records", headers=PURPOSE).text
    assert '<h2 id="found">3 lists' in page
    assert [served[3] in rows(page)[0], served[2] in rows(page)[1], served[0] in rows(page)[1]] == [True] * 3
    page = client.get(f"/investors/{user}").text
    asset = re.findall(rf'href="/investors/{user}/assets/([^"?]+)', page)[0]
    why = client.get(f"/investors/{user}/assets/{asset}", query_string={"format": "json"})
    assert why.status_code == 200
    first = rows(client.get("/records", headers=PURPOSE).text)[0]
    shown = re.findall(r'href="/records/([0-9a-f]{16})"', first)
    assert len(shown) >= 4
    assert {served[0], served[2]} < set(shown)
    assert "more records of this list" in first


def test_filters_take_names(client: FlaskClient, served: list[str], small_build: Build) -> None:
    graph, user = small_build.graph, people(small_build)[2]
    name = str(graph.nodes.name[graph.users[2]])
    assert served[1] in found(client, investor=name)
    assert found(client, investor=name.upper()) == found(client, investor=name)
    assert found(client, investor=user) == [served[1]]
    record = client.get("/records", headers=PURPOSE, query_string={"format": "json", "investor": user}).get_json()
    asset = record["records"][0]["assets"][0][0]
    row = next(row for row in graph.assets.tolist() if str(graph.nodes.id[row]) == asset)
    assert served[1] in found(client, asset=str(graph.nodes.name[row]))
    page = client.get("/records", headers=PURPOSE, query_string={"investor": name}).text
    assert f'value="{name}"' in page


def test_nothing_to_show_and_no_difference_are_said(app: Flask, client: FlaskClient, served: list[str]) -> None:
    empty = client.get("/records?investor=nobody+of+that+name", headers=PURPOSE).text
    assert "No record matches." in empty
    assert "Check the spelling of names" in empty
    same = client.get(f"/records/compare?a={served[0]}&b={served[2]}", headers=PURPOSE).text
    other = client.get(f"/records/compare?a={served[0]}&b={served[1]}", headers=PURPOSE).text
    assert ("Nothing differs." in same, "Nothing differs." in other) == (True, False)
    itself = client.get(f"/records/compare?a={served[0]}&b={served[0]}", headers=PURPOSE).text
    assert "compared with itself" in itself


def test_before_the_first_list_the_page_says_when_records_come(client: FlaskClient) -> None:
    assert "Nothing has been recommended yet" in client.get("/records", headers=PURPOSE).text
