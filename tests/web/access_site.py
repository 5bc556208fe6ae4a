"""A site with an account of each role; fixtures for tests to import."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that the tests make


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
