"""What an attacker can do about signing in at a provider: sign-ins that are not of this browser, and providers that are
not what they should be. The provider is a real one (`tests.web.oidc_world`), asked over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access import provider as client_side
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.oidc import OidcSettings
from pathfolio.web.site.access.roles import AccountRole
from tests.web.oidc_site import accounts, client, is_in, refused, sign_out, site
from tests.web.oidc_world import (
    CLIENT,
    SECRET,
    SmallProvider,
    at_provider,
    come_back,
    provider,
    sign_in,
    to_provider,
)
from tests.web.test_uses import token_of

__all__ = ["accounts", "client", "provider", "site"]  # fixtures


# -- what is not a sign-in of this browser -------------------------------------------------------------------


def test_a_sign_in_is_finished_once(client: FlaskClient, provider: SmallProvider) -> None:
    """Neither by who goes back a page, nor by who has a copy of cookie and address, though the provider were lax."""
    provider.signs_in("carol", "pathfolio-compliance")
    provider.twice = True
    back = at_provider(to_provider(client))
    cookie = client.get_cookie("pathfolio")
    assert cookie is not None
    assert client.get(back).status_code == 303
    refused(come_back(client, back), 400, "Signing in did not work")
    thief = client.application.test_client()
    thief.set_cookie("pathfolio", cookie.value)
    refused(come_back(thief, back), 400, "Signing in did not work")
    assert not is_in(thief)


def test_a_code_is_used_once(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    spent = parse_qs(urlsplit(at_provider(to_provider(client))).query)["code"][0]
    other = to_provider(client)
    state = parse_qs(urlsplit(other).query)["state"][0]
    refused(come_back(client, f"/sign-in/provider/back?code={spent}&state={state}"), 400, "Signing in did not work")
    assert not is_in(client), "PKCE: the code belongs to another beginning"


def test_nobody_is_signed_in_as_somebody_else(client: FlaskClient, provider: SmallProvider) -> None:
    """Who is lured to an address with an attacker's code must not find themselves in the attacker's account."""
    provider.signs_in("mallory", "pathfolio-analyst")
    attack = at_provider(to_provider(client))
    victim = client.application.test_client()
    victim.get("/sign-in")
    refused(come_back(victim, attack), 400, "Signing in did not work")
    to_provider(victim)
    refused(come_back(victim, attack), 400, "Signing in did not work")
    assert not is_in(victim)


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?code=x&state=", "?error=access_denied&state=x", "?state"]
)
def test_what_was_not_begun_here_is_refused(client: FlaskClient, provider: SmallProvider, query: str) -> None:
    refused(come_back(client, f"/sign-in/provider/back{query}"), 400, "Signing in did not work")


def test_a_sign_in_that_took_too_long_is_over(
    client: FlaskClient, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_side._Integration, "expires_in", -1)
    provider.signs_in("carol", "pathfolio-compliance")
    refused(sign_in(client), 400, "Signing in did not work")


def test_the_answer_of_another_provider_is_refused(client: FlaskClient, provider: SmallProvider) -> None:
    """Mix-up (RFC 9207): the answer names who gives it, where the provider says that it always does."""
    provider.signs_in("carol", "pathfolio-compliance")
    provider.says_who = "https://evil.example"
    refused(sign_in(client), 400, "Signing in did not work")
    provider.says_who = provider.issuer
    provider.described = {"authorization_response_iss_parameter_supported": True}
    other = client.application.test_client()
    assert sign_in(other).status_code == 303


def test_an_answer_that_should_name_its_provider_and_does_not(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    provider.described = {"authorization_response_iss_parameter_supported": True}
    refused(sign_in(client), 400, "Signing in did not work")


def test_who_is_refused_at_the_provider_is_told_so(client: FlaskClient, provider: SmallProvider) -> None:
    provider.user = None
    response = sign_in(client)
    refused(response, 403, "Example Bank did not sign you in")
    provider.signs_in("carol", "pathfolio-compliance")
    assert sign_in(client).status_code == 303


def test_a_session_of_before_is_of_no_use_after(client: FlaskClient, provider: SmallProvider) -> None:
    """Fixation: an attacker knows the cookie with which the victim begins."""
    provider.signs_in("carol", "pathfolio-compliance")
    attacker = client.application.test_client()
    way = to_provider(attacker)
    planted = attacker.get_cookie("pathfolio")
    assert planted is not None
    client.set_cookie("pathfolio", planted.value)
    assert client.get(at_provider(way)).status_code == 303
    after = client.get_cookie("pathfolio")
    assert after is not None
    assert after.value != planted.value
    assert is_in(client)
    assert not is_in(attacker)
    assert "carol" not in attacker.get("/sign-in").text


def test_no_page_has_the_code_in_its_address(client: FlaskClient, provider: SmallProvider) -> None:
    """Neither in the history, nor in what its links send on."""
    provider.signs_in("eve")
    address = at_provider(to_provider(client))
    assert client.get(address).location == "/sign-in/refused"
    page = client.get("/sign-in/refused").text
    assert parse_qs(urlsplit(address).query)["code"][0] not in page
    to_provider(client)
    assert client.get("/sign-in/refused").location == "/sign-in", "the next one is not told what was before"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "x", ""])
def test_signing_in_never_leads_elsewhere(client: FlaskClient, provider: SmallProvider, target: str) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    assert sign_in(client, target).location == "/"
    way = client.get("/sign-in/provider", query_string={"next": target})
    assert way.location == "/", "who is signed in is led nowhere else, either"


def test_strangers_do_not_fill_the_database(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    assert sign_in(client, "/graph?query=" + "x" * 4_000).location == "/"
    other = client.application.test_client()
    assert sign_in(other, "/graph?query=" + "x" * 1_000).location.startswith("/graph?query=xxx")
    codes = [other.application.test_client().get("/sign-in/provider").status_code for _ in range(70)]
    assert codes[-1] == 429


def test_a_cookie_has_room_for_every_tab(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    begun = [to_provider(client) for _ in range(40)]
    cookie = client.get_cookie("pathfolio")
    assert cookie is not None
    assert len(cookie.value) < 1500
    assert client.get(at_provider(begun[-3])).status_code == 303


# -- providers that are not what they should be --------------------------------------------------------------


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://login.example.com"},
        {"issuer": None},
        {"token_endpoint": "http://login.example.com/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://a"]},
    ],
)
def test_a_description_that_is_wrong_is_not_followed(
    client: FlaskClient, provider: SmallProvider, described: dict[str, Any]
) -> None:
    provider.described = described
    refused(client.get("/sign-in/provider"), 400, "Signing in did not work")


def test_a_description_sets_nothing_else(client: FlaskClient, provider: SmallProvider) -> None:
    """Authlib takes what stands there for options of its own, such as whether certificates are checked."""
    options = {"verify": False, "client_id": "x", "scope": "x", "proxies": {"http": "http://127.0.0.1:1"}, "state": "x"}
    provider.described = options
    provider.signs_in("carol", "pathfolio-compliance")
    assert sign_in(client).status_code == 303
    assert provider.asked[0]["scope"] == "openid profile"


def test_a_provider_that_does_not_answer(build: Build, accounts: Accounts) -> None:
    accounts.add("ann", AccountRole.ANALYST, "correct horse battery")
    settings = OidcSettings("http://127.0.0.1:1", CLIENT, SECRET, "Example Bank")
    client = create_app(build, Access(accounts, oidc=settings)).test_client()
    refused(client.get("/sign-in/provider"), 503, "Example Bank does not answer")
    form = {"csrf_token": token_of(client.get("/sign-in").text), "name": "ann", "password": "correct horse battery"}
    assert client.post("/sign-in", data=form).status_code == 303, "who has a password needs no provider"
    assert sign_out(client).location == "/sign-in"
