"""Signing in at an OpenID Connect provider: who gets which account, and what an attacker can do about it. The provider
is a real one (`tests.web.oidc_world`), asked over HTTP."""

from __future__ import annotations

import hmac
import json
import logging
import re
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.kg.errors import LedgerError, UsageError
from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access import guard
from pathfolio.web.site.access import provider as client_side
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.oidc import OidcSettings
from pathfolio.web.site.access.roles import AccountRole
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
from tests.web.test_uses import entries, token_of

__all__ = ["provider"]  # a fixture

MakeSite = Callable[..., Flask]


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "accounts.db")


@pytest.fixture
def site(adviser: Adviser, build: Build, ledger: Ledger, accounts: Accounts, provider: SmallProvider) -> MakeSite:
    """Makes a site whose people sign in at the provider."""

    def made(**settings: Any) -> Flask:
        app = create_app(build, Access(accounts, oidc=provider.settings(**settings)), desk=Desk(adviser, ledger))
        app.extensions["pathfolio_graph"].close()
        return app

    return made


@pytest.fixture
def client(site: MakeSite) -> FlaskClient:
    return site().test_client()


def is_in(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


def sign_out(client: FlaskClient) -> TestResponse:
    return client.post("/sign-out", data={"csrf_token": token_of(client.get("/").text)})


def refused(response: TestResponse, status: int, title: str) -> None:
    assert (response.status_code, title in response.text) == (status, True), response.text


# -- who gets which account ----------------------------------------------------------------------------------


def test_the_first_sign_in_makes_an_account_and_the_ledger_says_who_made_it(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, ledger: Ledger
) -> None:
    provider.signs_in("carol", "pathfolio-compliance", "staff")
    response = sign_in(client, "/records")
    assert (response.status_code, response.location) == (303, "/records")
    account = accounts.find("carol")
    assert account is not None
    assert (account.role, account.investor_id) == (AccountRole.COMPLIANCE, None)
    made = {"who": provider.issuer, "account": "carol", "change": "add", "role": "compliance"}
    assert entries(ledger, "account") == [made]
    assert "carol" in client.get("/").text
    [asked] = provider.asked
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
    assert all(len(asked[secret]) >= 20 for secret in ("state", "nonce", "code_challenge"))
    sign_in(client.application.test_client())
    assert entries(ledger, "account") == [made], "nothing changed"


def test_the_provider_gives_and_changes_roles(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, ledger: Ledger
) -> None:
    provider.signs_in("ivy", "pathfolio-investor", investor_id="INV000001")
    sign_in(client)
    provider.signs_in("ivy", "pathfolio-analyst")
    sign_in(client.application.test_client())
    account = accounts.find("ivy")
    assert account is not None
    assert (account.role, account.investor_id) == (AccountRole.ANALYST, None)
    assert client.get("/investors/INV000001").status_code == 403, "the older session has the new role, too"
    changed, made = entries(ledger, "account")
    assert (made["change"], made["role"], made["investor"]) == ("add", "investor", "INV000001")
    assert (changed["change"], changed["role"], changed["who"]) == ("assign", "analyst", provider.issuer)


def test_an_account_is_of_one_person_whatever_their_name(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts
) -> None:
    """Names and addresses are given to others when somebody leaves; the subject is not."""
    provider.signs_in("ann", "pathfolio-analyst")
    sign_in(client)
    provider.signs_in("ann", "pathfolio-administrator", sub="id of another Ann")
    refused(sign_in(client.application.test_client()), 403, "Your name belongs to another account")
    provider.signs_in("ann-married", "pathfolio-analyst", sub="id-of-ann")
    assert sign_in(client.application.test_client()).status_code == 303
    assert [account.name for account in accounts] == ["ann"]


def test_two_first_sign_ins_at_once_make_one_account(
    site: MakeSite, provider: SmallProvider, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.signs_in("ann", "pathfolio-analyst")
    app, together = site(), threading.Barrier(2, timeout=30)
    add = accounts.add

    def at_once(*args: Any) -> Any:
        together.wait()
        return add(*args)

    monkeypatch.setattr(accounts, "add", at_once)
    with ThreadPoolExecutor(2) as pool:
        came = list(pool.map(lambda _: sign_in(app.test_client()).status_code, range(2)))
    assert came == [303, 303]
    assert [account.name for account in accounts] == ["ann"]


@pytest.mark.parametrize("name", ["carol", "Carol"])
def test_a_local_account_is_never_taken_over(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, name: str
) -> None:
    accounts.add("carol", AccountRole.ADMINISTRATOR, "correct horse battery")
    provider.signs_in(name, "pathfolio-compliance")
    refused(sign_in(client), 403, "Your name belongs to another account")
    assert not is_in(client)
    assert [account.role for account in accounts] == [AccountRole.ADMINISTRATOR]


@pytest.mark.parametrize(
    ("groups", "claims", "title"),
    [
        ((), {}, "You have no access here"),
        (("administrator", "compliance", "pathfolio", "PATHFOLIO-ANALYST"), {}, "You have no access here"),
        ((), {"groups": None}, "You have no access here"),
        ((), {"groups": {"pathfolio-analyst": True}}, "You have no access here"),
        ((), {"groups": [["pathfolio-analyst"], 7]}, "You have no access here"),
        (("pathfolio-compliance", "pathfolio-administrator"), {}, "Your groups give more than one role"),
        (("pathfolio-investor",), {}, "It is not known which investor you are"),
        (("pathfolio-investor",), {"investor_id": ["INV000001"]}, "It is not known which investor you are"),
        (("pathfolio-analyst",), {"preferred_username": "a b"}, "Your name cannot be used here"),
        (("pathfolio-analyst",), {"preferred_username": None}, "Your name cannot be used here"),
        (("pathfolio-analyst",), {"preferred_username": "x" * 65}, "Your name cannot be used here"),
    ],
)
def test_who_has_no_place_here_gets_nothing_and_a_page_that_says_why(
    client: FlaskClient,
    provider: SmallProvider,
    accounts: Accounts,
    ledger: Ledger,
    groups: tuple[str, ...],
    claims: dict[str, Any],
    title: str,
) -> None:
    provider.signs_in("eve", *groups, **claims)
    response = sign_in(client)
    refused(response, 403, title)
    assert f"{provider.issuer}/logout?client_id" in response.text, "to become somebody else there"
    assert not is_in(client)
    assert list(accounts) == []
    assert entries(ledger, "account") == []


def test_who_loses_the_role_loses_sessions_and_tokens(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, ledger: Ledger
) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    token = accounts.new_token("carol")
    assert is_in(client)
    provider.signs_in("carol")
    refused(sign_in(client.application.test_client()), 403, "You have no access here")
    assert not is_in(client)
    assert accounts.token(token) is None
    assert [each["change"] for each in entries(ledger, "account")] == ["drop-tokens", "add"]


def test_whom_an_administrator_shut_out_stays_out(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts
) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    accounts.enable("carol", False)
    refused(sign_in(client), 403, "Your access has been ended")
    assert not is_in(client)


def test_an_account_of_the_provider_has_no_password(client: FlaskClient, provider: SmallProvider) -> None:
    """It would go around the second factor."""
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    accounts = client.application.extensions["pathfolio_access"].accounts
    with pytest.raises(UsageError, match="signs in at a provider"):
        accounts.set_password("carol", "correct horse battery")


def test_what_cannot_be_recorded_is_not_done(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise LedgerError("full")

    monkeypatch.setattr(ledger, "write", full)
    provider.signs_in("carol", "pathfolio-compliance")
    assert sign_in(client).status_code == 503
    assert list(accounts) == []


def test_groups_and_names_are_where_one_says(site: MakeSite, provider: SmallProvider, accounts: Accounts) -> None:
    roles = {"cn=risk, ou=x": AccountRole.COMPLIANCE}
    app = site(role_claim="realm_access.roles", roles=roles, name_claim="email", investor_claim="x")
    provider.signs_in("carol", "pathfolio-analyst", realm_access={"roles": ["cn=risk, ou=x"]}, email="c@example.com")
    sign_in(app.test_client())
    assert [(account.name, account.role) for account in accounts] == [("c@example.com", AccountRole.COMPLIANCE)]


# -- tokens that prove nothing -------------------------------------------------------------------------------


def changed(**changes: Any) -> Callable[[SmallProvider, dict[str, Any]], str]:
    """An honestly signed token with other claims; those that are None are left out."""
    return lambda small, claims: honest(small, {k: v for k, v in (claims | changes).items() if v is not None})


def later(name: str, seconds: float) -> Callable[[SmallProvider, dict[str, Any]], str]:
    return lambda small, claims: honest(small, claims | {name: int(time.time() + seconds)})


def signed_by(key: OctKey | RSAKey, alg: str, **header: Any) -> Callable[[SmallProvider, dict[str, Any]], str]:
    def made(small: SmallProvider, claims: dict[str, Any]) -> str:
        registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
        return jwt.encode({"alg": alg, "kid": small.key.kid} | header, claims, key, registry=registry)

    return made


def stripped(small: SmallProvider, claims: dict[str, Any]) -> str:
    return honest(small, claims).rpartition(".")[0] + "."


def tampered(small: SmallProvider, claims: dict[str, Any]) -> str:
    head, _, signature = honest(small, claims).split(".")
    return ".".join((head, honest(small, claims | {"groups": ["pathfolio-administrator"]}).split(".")[1], signature))


def by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join((*parts, signature)).decode()


def unsigned(_: SmallProvider, claims: dict[str, Any]) -> str:
    return by_hand({"alg": "none"}, claims, lambda _: b"")


def by_public_key(small: SmallProvider, claims: dict[str, Any]) -> str:
    """The old confusion: the public key, which everybody knows, taken for a secret."""
    header = {"alg": "HS256", "kid": small.key.kid}
    return by_hand(header, claims, lambda text: hmac.digest(small.key.as_pem(private=False), text, "sha256"))


def with_an_extension(small: SmallProvider, claims: dict[str, Any]) -> str:
    """Signed by the provider, but not to be understood without what the header names."""
    secret = small.key.private_key
    header = {"alg": "RS256", "kid": small.key.kid, "crit": ["exp"], "exp": 7}
    return by_hand(header, claims, lambda text: secret.sign(text, PKCS1v15(), SHA256()))


FOREIGN = RSAKey.generate_key(2048)
LIES: dict[str, Callable[[SmallProvider, dict[str, Any]], str]] = {
    "unsigned": unsigned,
    "signature cut off": stripped,
    "claims changed after signing": tampered,
    "signed by somebody else": signed_by(FOREIGN, "RS256"),
    "with the key to check it by": signed_by(FOREIGN, "RS256", jwk=FOREIGN.as_dict(private=False)),
    "with the address of a key": signed_by(FOREIGN, "RS256", jku="http://127.0.0.1:1/keys"),
    "signed by the site's own secret": signed_by(OctKey.import_key(SECRET), "HS256"),
    "signed by the public key": by_public_key,
    "an extension that must be understood": with_an_extension,
    "for another site": changed(aud="another-site"),
    "for another site, asked for by this one": changed(aud="another-site", azp=CLIENT),
    "for this one, asked for by another": changed(aud=[CLIENT, "another-site"], azp="another-site"),
    "for nobody": changed(aud=None),
    "for an empty list": changed(aud=[]),
    "of another issuer": changed(iss="https://login.example.com"),
    "of an issuer that begins alike": lambda small, claims: honest(small, claims | {"iss": f"{small.issuer}/"}),
    "of no issuer": changed(iss=None),
    "of another sign-in": changed(nonce="of-another-sign-in"),
    "of no sign-in": changed(nonce=None),
    "that a claim calls exempt": changed(nonce=None, nonce_supported=False),
    "about nobody": changed(sub=None),
    "about an empty name": changed(sub=""),
    "about a number": changed(sub=7),
    "over": later("exp", -120),
    "that never ends": changed(exp=None),
    "whose end is no number": changed(exp=float("nan")),
    "not yet valid": later("nbf", 600),
    "issued an hour ago": later("iat", -3600),
    "issued tomorrow": later("iat", 86_400),
    "issued never": changed(iat=None),
    "issued true": changed(iat=True),
    "of another access token": changed(at_hash="x" * 22),
    "no token": lambda *_: "none of yours",
    "three dots": lambda *_: "...",
    "a number": lambda *_: 7,  # type: ignore[return-value,dict-item] # it lies
    "nothing": lambda *_: None,  # type: ignore[return-value,dict-item] # it lies
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_proves_nothing_lets_nobody_in(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, lie: str
) -> None:
    provider.signs_in("mallory", "pathfolio-compliance")
    provider.forge = LIES[lie]
    provider.described = {"id_token_signing_alg_values_supported": ["none", "HS256", "RS256"]}
    refused(sign_in(client), 400, "Signing in did not work")
    assert not is_in(client)
    assert list(accounts) == []
    provider.forge = honest
    assert sign_in(client).status_code == 303, "the same but honest is let in"


def test_other_keys_of_the_provider_count_at_once(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    provider.key = RSAKey.generate_key(2048, auto_kid=True)
    assert sign_in(client.application.test_client()).status_code == 303


def test_keys_that_the_provider_took_back_count_no_more(
    client: FlaskClient, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    stolen = provider.key
    provider.key = RSAKey.generate_key(2048, auto_kid=True)
    provider.forge = lambda small, claims: jwt.encode({"alg": "RS256", "kid": stolen.kid}, claims, stolen)
    monkeypatch.setattr(client_side, "KEPT_FOR", -1)
    refused(sign_in(client.application.test_client()), 400, "Signing in did not work")


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


# -- sessions, signing out, passwords ------------------------------------------------------------------------


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
