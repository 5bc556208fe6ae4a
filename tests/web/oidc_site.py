"""A site whose people sign in at the provider of `tests.web.oidc_world`; fixtures for tests to import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from tests.web.oidc_world import (
    SmallProvider,
    provider,
)
from tests.web.test_uses import token_of

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
