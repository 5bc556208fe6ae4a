"""Sessions of people who signed in at a provider, signing out, passwords beside it, and its settings."""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from pathfolio.kg.errors import UsageError
from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access import guard
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.oidc import OidcSettings
from pathfolio.web.site.access.roles import AccountRole
from tests.web.oidc_site import MakeSite, accounts, client, is_in, refused, sign_out, site
from tests.web.oidc_world import (
    CLIENT,
    SECRET,
    SmallProvider,
    at_provider,
    come_back,
    honest,
    provider,
    sign_in,
    to_provider,
)
from tests.web.test_oidc_tokens import unsigned
from tests.web.test_uses import token_of

__all__ = ["accounts", "client", "provider", "site"]  # fixtures


def test_signing_out_ends_the_session_here_and_at_the_provider(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    cookie = client.get_cookie("pathfolio")
    assert cookie is not None
    response = sign_out(client)
    assert response.location == "/signed-out"
    thief = client.application.test_client()
    thief.set_cookie("pathfolio", cookie.value)
    assert not is_in(client)
    assert not is_in(thief)
    page = client.get("/signed-out")
    seconds, _, address = page.headers["Refresh"].partition("; url=")
    assert seconds == "0"
    left = urlsplit(address)
    assert f"{left.scheme}://{left.netloc}{left.path}" == f"{provider.issuer}/logout"
    back = {"client_id": [CLIENT], "post_logout_redirect_uri": ["http://localhost/sign-in"]}
    assert parse_qs(left.query) == back
    assert client.get("/signed-out").location == "/sign-in", "once"


@pytest.mark.parametrize("endpoint", [None, "http://login.example.com/logout", "javascript:alert(1)"])
def test_where_the_provider_has_no_sign_out_the_page_says_so(
    client: FlaskClient, provider: SmallProvider, endpoint: str | None
) -> None:
    provider.described = {"end_session_endpoint": endpoint}
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    sign_out(client)
    page = client.get("/signed-out")
    assert "Refresh" not in page.headers
    assert "The one at Example Bank goes on" in page.text


def test_a_session_ends_so_that_the_provider_is_asked_again(
    client: FlaskClient, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    now = time.time()
    monkeypatch.setattr(guard.time, "time", lambda: now + guard.SESSION_SECONDS - 60)
    assert is_in(client)
    monkeypatch.setattr(guard.time, "time", lambda: now + guard.SESSION_SECONDS + 60)
    assert not is_in(client)


def test_passwords_can_be_switched_off(site: MakeSite, accounts: Accounts, provider: SmallProvider) -> None:
    accounts.add("ann", AccountRole.ANALYST, "correct horse battery")
    form = {"name": "ann", "password": "correct horse battery"}
    off, on = site(passwords=False).test_client(), site().test_client()
    assert 'type="password"' not in off.get("/sign-in").text
    assert "Sign in with Example Bank" in off.get("/sign-in").text
    form["csrf_token"] = token_of(on.get("/sign-in").text)
    cookie = on.get_cookie("pathfolio")
    assert cookie is not None
    off.set_cookie("pathfolio", cookie.value)
    assert (off.post("/sign-in", data=form).status_code, is_in(off)) == (404, False)
    assert (on.post("/sign-in", data=form).status_code, is_in(on)) == (303, True)


def test_without_a_provider_there_is_nothing_of_it(build: Build, accounts: Accounts) -> None:
    client = create_app(build, Access(accounts)).test_client()
    assert "provider" not in client.get("/sign-in").text
    for path in ("/sign-in/provider", "/sign-in/provider/back?code=x&state=x", "/signed-out"):
        assert client.get(path).status_code == 404


def test_behind_a_proxy_the_provider_sends_people_back_by_https(
    build: Build, accounts: Accounts, provider: SmallProvider
) -> None:
    access = Access(accounts, https=True, oidc=provider.settings())
    app = create_app(build, access, trusted_hosts=("advice.example.com",), behind_proxy=True)
    headers = {"Host": "advice.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    way = app.test_client().get("/sign-in/provider", headers=headers).location
    assert parse_qs(urlsplit(way).query)["redirect_uri"] == ["https://advice.example.com/sign-in/provider/back"]
    for lie in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        assert app.test_client().get("/sign-in/provider", headers=headers | lie).status_code == 400


@pytest.mark.parametrize("lang", languages())
def test_pages_speak_the_readers_language(client: FlaskClient, provider: SmallProvider, lang: str) -> None:
    english = "" if lang == "en" else "|".join(("You have", "Sign in", "Ask ", "Your "))
    come_back(client, "/sign-in/provider/back")
    for url in ("/sign-in", "/sign-in/refused"):
        page = client.get(url, headers={"Accept-Language": lang})
        assert "Example Bank" in page.text
        assert not english or not re.search(english, page.text), url
    provider.signs_in("eve")
    sign_in(client)
    response = client.get("/sign-in/refused", headers={"Accept-Language": lang})
    assert response.status_code == 403
    assert not english or not re.search(english, response.text)


def test_no_secret_is_logged(client: FlaskClient, provider: SmallProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider.signs_in("carol", "pathfolio-compliance")
    ways = []
    for forge in (honest, unsigned):
        provider.forge = forge
        one = client.application.test_client()
        way = to_provider(one)
        ways += [way, at_provider(way)]
        one.get(ways[-1])
    refused(come_back(client, "/sign-in/provider/back?error=%0d%0aforged&state=x"), 400, "Signing in did not work")
    names = ("code", "state", "nonce", "code_challenge")
    said = [parse_qs(urlsplit(way).query) for way in ways]
    secrets = [SECRET, *provider.issued, *(found[name][0] for found in said for name in names if name in found)]
    assert len(secrets) > 10
    text = caplog.text + repr(client.application.extensions["pathfolio_access"])
    assert "carol (compliance) signed in" in text
    assert not [secret for secret in secrets if secret in text]
    assert "verifier" not in text


# -- settings ------------------------------------------------------------------------------------------------

NEEDED = {
    "PATHFOLIO_OIDC_ISSUER": "https://login.example.com/realms/bank",
    "PATHFOLIO_OIDC_CLIENT_ID": "pathfolio",
    "PATHFOLIO_OIDC_CLIENT_SECRET": "hidden",
}


def test_settings_come_from_the_environment() -> None:
    found = OidcSettings.from_environment(NEEDED)
    assert found is not None
    assert (found.issuer, found.label, found.passwords) == (NEEDED["PATHFOLIO_OIDC_ISSUER"], "login.example.com", True)
    assert found.roles["pathfolio-analyst"] is AccountRole.ANALYST
    assert "hidden" not in repr(found)
    roles = "cn=risk,ou=groups=compliance; /desk=analyst ;"
    own = {"ROLES": roles, "ROLE_CLAIM": "roles", "LABEL": "Bank", "NAME_CLAIM": "upn", "INVESTOR_CLAIM": "client"}
    own_names = {f"PATHFOLIO_OIDC_{name}": text for name, text in own.items()} | {"PATHFOLIO_PASSWORDS": "off"}
    found = OidcSettings.from_environment(NEEDED | own_names)
    assert found is not None
    assert dict(found.roles) == {"cn=risk,ou=groups": AccountRole.COMPLIANCE, "/desk": AccountRole.ANALYST}
    assert (found.role_claim, found.label, found.name_claim, found.investor_claim) == ("roles", "Bank", "upn", "client")
    assert not found.passwords
    assert OidcSettings.from_environment({}) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PATHFOLIO_OIDC_CLIENT_SECRET": ""}, "PATHFOLIO_OIDC_ISSUER is set, but not PATHFOLIO_OIDC_CLIENT_SECRET"),
        ({"PATHFOLIO_OIDC_CLIENT_ID": "", "PATHFOLIO_OIDC_CLIENT_SECRET": ""}, "CLIENT_ID nor PATHFOLIO_OIDC_CLIENT"),
        ({"PATHFOLIO_OIDC_ISSUER": "http://login.example.com"}, "write it as https://"),
        ({"PATHFOLIO_OIDC_ISSUER": "login.example.com"}, "write it as https://"),
        ({"PATHFOLIO_OIDC_SCOPE": "profile"}, "it needs openid"),
        ({"PATHFOLIO_OIDC_ROLES": "desk=king"}, "write it as GROUP=ROLE"),
        ({"PATHFOLIO_OIDC_ROLES": "analyst"}, "write it as GROUP=ROLE"),
        ({"PATHFOLIO_OIDC_ROLES": "a=analyst;a=engineer"}, "two roles"),
        ({"PATHFOLIO_PASSWORDS": "no"}, "write on or off"),
        ({"PATHFOLIO_PASSWORDS": "off", "PATHFOLIO_OIDC_ISSUER": ""}, "nobody could sign in"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as error:
        OidcSettings.from_environment(NEEDED | changes)
    assert "hidden" not in str(error.value)
