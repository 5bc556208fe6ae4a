"""Who may see what: every route with every role, and what an account can and cannot do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pathfolio.explain.records.adviser import Question
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access, permission_of
from pathfolio.web.site.access.roles import AccountRole, Permission
from pathfolio.web.site.access.samples import sample_access
from tests.web.site_world import HOSTILE

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that the tests make
EVERYONE = frozenset(AccountRole)
MAY_OPEN = {
    "home.home": EVERYONE,
    "home.search": EVERYONE,
    "assets.asset": EVERYONE,
    "audience.audience": {AccountRole.COMPLIANCE},
    "investors.investor": {AccountRole.COMPLIANCE},
    "recommendations.recommendation": {AccountRole.COMPLIANCE},
    "console.console": {AccountRole.ANALYST},
    "console.answer": {AccountRole.ANALYST},
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
    "api.openapi": EVERYONE,
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


@pytest.fixture(scope="module")
def people(build: Build) -> tuple[str, str]:
    """Two investors: the one whose account there is, and somebody else."""
    ids = build.graph.nodes.id[build.graph.users]
    return str(ids[1]), str(ids[2])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, people: tuple[str, str]) -> Path:
    """One account of each role, called like it."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.db"
    accounts = Accounts(path)
    for role in AccountRole:
        accounts.add(role.value, role, PASSWORD, people[0] if role is AccountRole.INVESTOR else None)
    return path


@pytest.fixture
def app(build: Build, database: Path, tmp_path: Path) -> Flask:
    accounts = Accounts(shutil.copy(database, tmp_path / "accounts.db"))
    app = create_app(build, Access(accounts))
    app.config["TESTING"] = True
    app.extensions["pathfolio_graph"].close()  # no server need be started for what is tested here
    return app


def accounts_of(app: Flask) -> Accounts:
    access: Access = app.extensions["pathfolio_access"]
    assert access.accounts is not None
    return access.accounts


def csrf_token(client: FlaskClient, url: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(url).text)
    assert found is not None
    return found.group(1)


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, target: str = "") -> TestResponse:
    form = {"csrf_token": csrf_token(client), "name": name, "password": password, "next": target}
    return client.post("/sign-in", data=form)


def as_role(app: Flask, role: AccountRole) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, role.value).status_code == 303
    client.environ_base["HTTP_PATHFOLIO_PURPOSE"] = "test"
    return client


def routes(app: Flask, build: Build, user: str) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address) of every route, about `user` where it is about somebody."""
    asset = str(build.graph.nodes.id[build.graph.assets[3]])
    desk = app.extensions["pathfolio"].desk
    shown = desk.show(Question("clerk", "site", user, 3), "lines", lambda advice: len(advice.lines))
    values = {"user_id": user, "asset_id": asset, "name": "nobody", "filename": "site.css"}
    values |= {"record_id": shown.receipt.id, "ending": "html"}
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
        if method == "GET":
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


def test_signing_in_leads_to_where_one_wanted_to_go(app: Flask) -> None:
    client = app.test_client()
    response = client.get("/investors/x?kind=fund")
    assert response.headers["Location"] == "/sign-in?next=/investors/x?kind%3Dfund"
    assert sign_in(client, "compliance", target="/search?q=a").headers["Location"] == "/search?q=a"
    assert "compliance" in client.get("/").text
    assert client.get("/sign-in").headers["Location"] == "/"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "x", "/a\nb", ""])
def test_signing_in_never_leads_elsewhere(app: Flask, target: str) -> None:
    assert sign_in(app.test_client(), "analyst", target=target).headers["Location"] == "/"


def test_wrong_names_and_passwords_are_told_the_same(app: Flask) -> None:
    answers = []
    for name, password in (("analyst", "wrong password"), ("nobody", PASSWORD), ("", "")):
        response = sign_in(app.test_client(), name, password)
        assert response.status_code == 401
        answers.append(re.sub(r'value="[^"]+"', "", response.text))
    assert len(set(answers)) == 1
    assert "The account name or the password is wrong." in answers[0]


def test_guessing_is_slowed_down(app: Flask) -> None:
    client = app.test_client()
    codes = [sign_in(client, "analyst", f"guess number {i}").status_code for i in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert sign_in(client, "analyst").status_code == 429


def test_signing_out_ends_the_session(app: Flask) -> None:
    client = as_role(app, AccountRole.ANALYST)
    response = client.post("/sign-out", data={"csrf_token": csrf_token(client, "/")})
    assert response.headers["Location"] == "/sign-in"
    assert client.get("/").status_code == 302


def test_a_copied_cookie_is_of_no_use_after_signing_out(app: Flask) -> None:
    client, thief = as_role(app, AccountRole.ANALYST), app.test_client()
    cookie = client.get_cookie("pathfolio")
    assert cookie is not None
    thief.set_cookie("pathfolio", cookie.value)
    assert thief.get("/").status_code == 200
    client.post("/sign-out", data={"csrf_token": csrf_token(client, "/")})
    assert thief.get("/").status_code == 302
    assert as_role(app, AccountRole.ANALYST).get("/").status_code == 200


def test_guessing_from_many_addresses_is_slowed_down_for_the_account_alone(app: Flask) -> None:
    def guess(number: int, name: str, password: str) -> int:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number // 5}"
        return sign_in(client, name, password).status_code

    assert guess(0, "analyst", PASSWORD) == 303
    codes = [guess(number, "analyst", f"guess number {number}") for number in range(32)]
    assert codes == [401] * 30 + [429] * 2
    assert guess(200, "compliance", PASSWORD) == 303


def test_a_form_from_elsewhere_does_nothing(app: Flask) -> None:
    client = as_role(app, AccountRole.ADMINISTRATOR)
    for token in ({}, {"csrf_token": "forged"}):
        assert client.post("/accounts/analyst", data={"enabled": "no", **token}).status_code == 400
        assert client.post("/sign-out", data=token).status_code == 400
    found = accounts_of(app).find("analyst")
    assert found is not None
    assert found.enabled


@pytest.mark.parametrize("https", [False, True])
def test_session_cookies_are_for_the_site_alone(build: Build, https: bool) -> None:
    accounts = Accounts(":memory:")
    accounts.add("ann", AccountRole.ANALYST, PASSWORD)
    app = create_app(build, Access(accounts, https=https), behind_proxy=https)
    client = app.test_client()
    base = "https://localhost" if https else "http://localhost"
    found = re.search(r'csrf_token" value="([^"]+)"', client.get("/sign-in", base_url=base).text)
    assert found is not None
    form = {"csrf_token": found.group(1), "name": "ann", "password": PASSWORD}
    response = client.post("/sign-in", data=form, base_url=base, headers={"Referer": f"{base}/sign-in"})
    cookie = next(c for c in response.headers.getlist("Set-Cookie") if "pathfolio" in c and "lang" not in c)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) == https
    assert cookie.startswith("__Host-") == https
    chosen = client.get("/?lang=zh-TW", base_url=base)
    assert all(("Secure" in cookie) == https for cookie in chosen.headers.getlist("Set-Cookie"))
    assert ("Strict-Transport-Security" in chosen.headers) == https


def test_a_session_ends_with_the_password_and_with_the_account(app: Flask) -> None:
    accounts = accounts_of(app)
    for end in (
        lambda: accounts.set_password("analyst", "another long password"),
        lambda: accounts.enable("analyst", False),
    ):
        client = app.test_client()
        accounts.enable("analyst", True)
        accounts.set_password("analyst", PASSWORD)
        assert sign_in(client, "analyst").status_code == 303
        end()
        assert client.get("/").status_code == 302
    assert sign_in(app.test_client(), "analyst", "another long password").status_code == 401


def test_an_administrator_ends_and_restores_access_but_never_their_own(app: Flask) -> None:
    client, analyst = as_role(app, AccountRole.ADMINISTRATOR), as_role(app, AccountRole.ANALYST)
    token = csrf_token(client, "/accounts")
    assert client.post("/accounts/analyst", data={"csrf_token": token, "enabled": "no"}).status_code == 303
    assert analyst.get("/").status_code == 302
    states = {line["name"]: line["enabled"] for line in client.get("/accounts?format=json").get_json()["accounts"]}
    assert states == {role.value: role is not AccountRole.ANALYST for role in AccountRole}
    client.post("/accounts/analyst", data={"csrf_token": token, "enabled": "yes"})
    assert sign_in(app.test_client(), "analyst").status_code == 303
    for name, value, code in (("administrator", "no", 400), ("analyst", "perhaps", 400), ("nobody", "no", 404)):
        assert client.post(f"/accounts/{name}", data={"csrf_token": token, "enabled": value}).status_code == code


# -- tokens --------------------------------------------------------------------------------------------------


def test_what_is_logged_of_a_refusal_is_one_line(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    as_role(app, AccountRole.ANALYST).get("/investors/x%0d%0aanalyst%20signed%20in")
    assert "was refused" in caplog.text
    assert not [text for text in caplog.messages if "\n" in text or "\r" in text]


def test_where_accounts_cannot_be_read_nothing_is_shown(app: Flask, tmp_path: Path) -> None:
    client = as_role(app, AccountRole.COMPLIANCE)
    (tmp_path / "accounts.db").write_bytes(b"not a database " * 1000)
    for address in ("/", "/sign-in", "/records?purpose=x", "/nowhere"):
        response = client.get(address)
        assert (response.status_code, response.mimetype) == (503, "text/plain"), address
        assert "Who you are cannot be looked up" in response.text


def test_a_token_may_do_less_than_its_account(app: Flask, people: tuple[str, str]) -> None:
    accounts = accounts_of(app)
    token = accounts.new_token("compliance", "records alone", ["records"])
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Pathfolio-Purpose": "test"}
    client = app.test_client()
    assert client.get("/records", headers=headers).status_code == 200
    assert client.get(f"/investors/{people[1]}", headers=headers).status_code == 403
    assert client.get("/", headers=headers).status_code == 403
    accounts.revoke("compliance", accounts.tokens("compliance")[-1].id)
    assert client.get("/records", headers=headers).status_code == 401


def test_a_token_opens_what_its_account_may_open(app: Flask, people: tuple[str, str]) -> None:
    accounts = accounts_of(app)
    token = accounts.new_token("compliance", "nightly check")
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Pathfolio-Purpose": "test"}
    client = app.test_client()
    response = client.get(f"/investors/{people[1]}", headers=headers)
    assert response.get_json()["portfolio"]["investor"]["id"] == people[1]
    assert "session" not in response.headers.get("Set-Cookie", "")
    assert client.get("/build", headers=headers).status_code == 403
    for wrong in ("", "Bearer", "Bearer pf_wrong", f"Basic {token}", f"Bearer {token}x"):
        assert client.get("/", headers=headers | {"Authorization": wrong}).status_code == 401
    assert accounts.drop_tokens("compliance") == 1
    assert client.get("/", headers=headers).status_code == 401


def test_a_wrong_token_beside_a_cookie_counts_as_nobody(app: Flask) -> None:
    """Otherwise a request with a cookie could skip the check of forms by bringing any token."""
    client = as_role(app, AccountRole.ADMINISTRATOR)
    response = client.post("/accounts/analyst", data={"enabled": "no"}, headers={"Authorization": "Bearer x"})
    assert response.status_code == 401


# -- the demo ------------------------------------------------------------------------------------------------


def test_the_demo_signs_in_by_one_click(build: Build, people: tuple[str, str]) -> None:
    app = create_app(build, sample_access(people[0]))
    for role in AccountRole:
        client = app.test_client()
        page = client.get("/", follow_redirects=True).text
        assert f'name="name" value="{role.value}"' in page
        form = {"csrf_token": csrf_token(client), "name": role.value, "next": "/"}
        assert client.post("/sign-in/sample", data=form, follow_redirects=True).status_code == 200
        assert role.value in client.get("/").text


def test_one_click_is_for_sample_accounts_alone(app: Flask, build: Build) -> None:
    client = app.test_client()
    form = {"csrf_token": csrf_token(client), "name": "administrator"}
    assert client.post("/sign-in/sample", data=form).status_code == 404
    open_site = create_app(build).test_client()
    assert open_site.get("/sign-in").status_code == 404  # there is nobody to become
    assert open_site.get("/accounts", follow_redirects=True).status_code == 404


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
    of_people = ("HOLDS", "HELD", "HAS_RISK", "SEEKS", "HAS_CAPACITY", "HAS_EXPERIENCE", "IN_SEGMENT", "PREFERS")
    others = sum(count for relation, count in exact["edges"].items() if relation not in of_people)
    assert counts[0]["edges"] == others + int(told.holders.sum())


def test_who_may_not_see_investors_is_not_told_which_there_are(app: Flask, build: Build) -> None:
    there = str(build.graph.nodes.id[build.graph.users[0]])
    client = as_role(app, AccountRole.ANALYST)
    answers = [client.get(f"/investors/{user}") for user in (there, "NOBODY")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].text.replace(there, "") == answers[1].text.replace("NOBODY", "")
