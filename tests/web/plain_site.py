"""The site of the small build, without accounts: what tests of its pages ask."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app


@pytest.fixture(scope="module")
def app(build: Build) -> Flask:
    app = create_app(build)
    app.config["TESTING"] = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
