"""What an account can and cannot do: signing in and out, sessions, tokens, the demo's accounts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from tests.web.access_site import PASSWORD, accounts_of, app, as_role, csrf_token, database, people, sign_in

__all__ = ["app", "database", "people"]  # fixtures


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
