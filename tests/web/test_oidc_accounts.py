"""Signing in at an OpenID Connect provider: who gets which account."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.kg.errors import LedgerError, UsageError
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.roles import AccountRole
from tests.web.oidc_site import MakeSite, accounts, client, is_in, refused, site
from tests.web.oidc_world import (
    CLIENT,
    SmallProvider,
    provider,
    sign_in,
)
from tests.web.test_uses import entries

__all__ = ["accounts", "client", "provider", "site"]  # fixtures


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
