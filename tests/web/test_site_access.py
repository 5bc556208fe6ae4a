"""Who may see what: every route with every role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from flask import Flask

from pathfolio.explain.records.adviser import Question
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access, permission_of
from pathfolio.web.site.access.roles import AccountRole, Permission
from tests.web.access_site import PASSWORD, app, as_role, csrf_token, database, people, sign_in
from tests.web.site_world import HOSTILE

__all__ = ["app", "database", "people"]  # fixtures

EVERYONE = frozenset(AccountRole)
MAY_OPEN = {
    "home.home": EVERYONE,
    "home.search": EVERYONE,
    "assets.asset": EVERYONE,
    "audience.audience": {AccountRole.COMPLIANCE},
    "investors.investor": {AccountRole.COMPLIANCE},
    "recommendations.recommendation": {AccountRole.COMPLIANCE},
    "charts.charts": {AccountRole.COMPLIANCE},
    "plan.plan": {AccountRole.COMPLIANCE},
    "portfolio.portfolio": {AccountRole.COMPLIANCE},
    "console.console": {AccountRole.ANALYST},
    "console.answer": {AccountRole.ANALYST},
    "algorithms.algorithms": {AccountRole.ANALYST},
    "canvas.canvas": {AccountRole.ANALYST},
    "canvas.find": {AccountRole.ANALYST},
    "canvas.ties": {AccountRole.ANALYST},
    "canvas.picture": {AccountRole.ANALYST},
    "saved.saved": {AccountRole.ANALYST},
    "saved.save": {AccountRole.ANALYST},
    "saved.shared": {AccountRole.ANALYST},
    "saved.remove": {AccountRole.ANALYST},
    "neighbours.neighbours": EVERYONE,
    "catalogue.assets": EVERYONE,
    "catalogue.compare": EVERYONE,
    "why.instead_of": {AccountRole.COMPLIANCE},
    "why.changes": {AccountRole.COMPLIANCE},
    "telling.told": {AccountRole.COMPLIANCE},
    "telling.tell": set(),
    "telling.save_answers": set(),
    "what_if.questionnaire": EVERYONE,
    "what_if.what_if": {AccountRole.COMPLIANCE},
    "what_if.answer": EVERYONE,
    "what_if.answer_questionnaire": EVERYONE,
    "records.records": {AccountRole.COMPLIANCE},
    "records.statistics": {AccountRole.COMPLIANCE},
    "records.purpose": {AccountRole.COMPLIANCE},
    "record.record": {AccountRole.COMPLIANCE},
    "record.comparison": {AccountRole.COMPLIANCE},
    "record.report": {AccountRole.COMPLIANCE},
    "record.report_pdf": {AccountRole.COMPLIANCE},
    "record.case": {AccountRole.COMPLIANCE},
    "reports.reports": {AccountRole.COMPLIANCE},
    "reports.start": {AccountRole.COMPLIANCE},
    "reports.report": {AccountRole.COMPLIANCE},
    "reports.download": {AccountRole.COMPLIANCE},
    "api.openapi": EVERYONE,
    "operation.health": EVERYONE,
    "operation.ready": EVERYONE,
    "operation.metrics": {AccountRole.ENGINEER, AccountRole.ADMINISTRATOR},
    "builds.build": {AccountRole.ENGINEER},
    "accounts.accounts": {AccountRole.ADMINISTRATOR},
    "accounts.change": {AccountRole.ADMINISTRATOR},
    "signin.signin": EVERYONE,
    "signin.enter": EVERYONE,
    "signin.sample": EVERYONE,
    "signin.signout": EVERYONE,
    "provider.begin": EVERYONE,
    "provider.finish": EVERYONE,
    "provider.refused": EVERYONE,
    "provider.signed_out": EVERYONE,
    "static": EVERYONE,
}
"""Who may open a page about somebody else, written out by hand; a page that is new must be added here."""


def routes(app: Flask, build: Build, user: str) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address) of every route, about `user` where it is about somebody."""
    asset = str(build.graph.nodes.id[build.graph.assets[3]])
    desk = app.extensions["pathfolio"].desk
    shown = desk.show(Question("clerk", "site", user, 3), "lines", lambda advice: len(advice.lines))
    values = {"user_id": user, "asset_id": asset, "name": "nobody", "filename": "site.css"}
    values |= {"record_id": shown.receipt.id, "ending": "html", "key": "0123456789abcdef"}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            wanted = {name: values[name] for name in rule.arguments}
            address = app.url_map.bind("localhost").build(rule.endpoint, wanted)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule.endpoint, method, address


def test_every_page_names_a_permission_and_stands_in_the_table(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == set(MAY_OPEN)
    assert None not in {permission_of(app, endpoint) for endpoint in endpoints}


@pytest.mark.parametrize("role", AccountRole)
def test_every_route_with_every_role(app: Flask, build: Build, people: tuple[str, str], role: AccountRole) -> None:
    name = str(build.graph.nodes.name[build.graph.row(NodeKind.USER, people[1])])
    client = as_role(app, role)
    form = {"csrf_token": csrf_token(client, "/")}
    last = "signin.signout"
    for endpoint, method, address in sorted(routes(app, build, people[1]), key=lambda route: route[0] == last):
        response = client.open(address, method=method, data=form if method == "POST" else None)
        if role in MAY_OPEN[endpoint]:
            assert response.status_code not in {403, 500}, (endpoint, response.status_code)
            assert response.status_code != 401 or endpoint == "signin.enter"
        else:
            assert response.status_code == 403, (endpoint, response.status_code)
            assert name not in unescape(response.text)


def test_every_route_without_signing_in(app: Flask, build: Build, people: tuple[str, str]) -> None:
    for endpoint, method, address in routes(app, build, people[1]):
        if permission_of(app, endpoint) is Permission.ANYONE:
            continue
        response = app.test_client().open(address, method=method)
        if method == "GET" and endpoint != "operation.metrics":  # which programs ask for
            assert response.status_code == 302, endpoint
            assert response.headers["Location"].startswith("/sign-in?next=")
            twin = app.test_client().get(address, headers={"Accept": "application/json"})
            assert (twin.status_code, twin.get_json()["status"]) == (401, 401)
        else:
            assert response.status_code == 401, endpoint


def test_an_investor_sees_their_own_pages_and_nobody_elses(app: Flask, people: tuple[str, str]) -> None:
    client = as_role(app, AccountRole.INVESTOR)
    own, other = people
    home = client.get("/").text
    assert f'href="/investors/{own}"' in home
    assert "Begin with an investor" not in home
    page = client.get(f"/investors/{own}")
    assert page.status_code == 200
    why = re.search(rf'href="(/investors/{own}/assets/[^"]+)"', page.text)
    assert why is not None
    assert client.get(unescape(why.group(1))).status_code == 200
    for address in (f"/investors/{other}", why.group(1).replace(own, other), "/investors/nobody"):
        for query in ("", "?format=json"):
            assert client.get(address + query).status_code == 403


def test_only_compliance_finds_investors(app: Flask, people: tuple[str, str]) -> None:
    for role in AccountRole:
        hits = as_role(app, role).get(f"/search?q={people[1]}&format=json").get_json()["investors"]
        assert (hits != []) == (role is AccountRole.COMPLIANCE)


@pytest.mark.parametrize("role", [AccountRole.ANALYST, AccountRole.ENGINEER, AccountRole.ADMINISTRATOR])
def test_who_sees_no_person_finds_none_on_any_page(app: Flask, build: Build, role: AccountRole) -> None:
    graph = build.graph
    names = {str(name) for name in graph.nodes.name[graph.users]} | {str(key) for key in graph.nodes.id[graph.users]}
    names -= {HOSTILE}  # an asset is called so, too
    client, todo, seen = as_role(app, role), ["/", "/search?q=a"], set()
    while todo and len(seen) < 60:
        address = todo.pop(0)
        seen.add(address)
        response = client.get(address)
        assert not [name for name in names if name and name in unescape(response.text)], address
        found = (unescape(url) for url in re.findall(r'href="(/[^"]*)"', response.text))
        todo += [url for url in found if url not in seen and not url.startswith("/static/") and url not in todo]
    assert len(seen) > 20


# -- signing in ----------------------------------------------------------------------------------------------


def test_an_account_of_a_vanished_investor_sees_nothing(build: Build) -> None:
    accounts = Accounts(":memory:")
    accounts.add("ivy", AccountRole.INVESTOR, PASSWORD, "GONE")
    client = create_app(build, Access(accounts)).test_client()
    sign_in(client, "ivy")
    assert build.graph.find(NodeKind.USER, "GONE") is None
    assert client.get("/").status_code == 200
    assert client.get("/investors/GONE").status_code == 404


def test_the_first_page_tells_investors_of_groups_alone(app: Flask, build: Build) -> None:
    """How many people there are, and positions, is exact for who may see them; else each build tells of who came."""
    counts = [
        as_role(app, role).get("/?format=json").get_json() for role in (AccountRole.INVESTOR, AccountRole.COMPLIANCE)
    ]
    exact, told = build.graph.counts(), build.scorer.groups
    assert [page["nodes"]["User"] for page in counts] == [told.investors, exact["nodes"]["User"]]
    assert counts[1]["edges"] == sum(exact["edges"].values())
    of_people = {"HOLDS", "HELD", "BOUGHT", "SOLD", "PREFERS", "HAS_RISK", "SEEKS", "HAS_CAPACITY", "HAS_EXPERIENCE"}
    of_people |= {"IN_SEGMENT"}
    others = sum(count for relation, count in exact["edges"].items() if relation not in of_people)
    assert counts[0]["edges"] == others + int(told.holders.sum())


def test_who_may_not_see_investors_is_not_told_which_there_are(app: Flask, build: Build) -> None:
    there = str(build.graph.nodes.id[build.graph.users[0]])
    client = as_role(app, AccountRole.ANALYST)
    answers = [client.get(f"/investors/{user}") for user in (there, "NOBODY")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].text.replace(there, "") == answers[1].text.replace("NOBODY", "")
