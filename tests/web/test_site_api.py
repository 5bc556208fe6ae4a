"""The API's own description holds, and requests at random break nothing and tell nothing of another person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.pages.api import openapi_document

NOT_IN_IT = {"static", "signin.signin", "signin.enter", "signin.sample", "signin.signout", "accounts.accounts",
             "accounts.change", "records.purpose", "console.console", "console.answer", "api.openapi",
             "what_if.what_if", "what_if.questionnaire"}  # fmt: skip
"""Pages for people alone, and the console, whose questions are Cypher."""


@pytest.fixture(scope="module")
def app(small_build: Build) -> Flask:
    app = create_app(small_build)
    app.extensions["pathfolio_graph"].close()
    return app


def test_the_description_is_served_whole(app: Flask) -> None:
    document = app.test_client().get("/openapi.json").get_json()
    assert document == openapi_document()
    assert document["openapi"] == "3.1.0"
    for name, schema in document["components"]["schemas"].items():
        assert Draft202012Validator.check_schema(schema) is None, name
    named = set(re.findall(r'"#/components/(\w+)/(\w+)"', str(document).replace("'", '"')))
    assert all(name in document["components"][group] for group, name in named)


def test_every_route_is_described(app: Flask) -> None:
    served = {
        (re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in NOT_IN_IT
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    served.discard(("/records/{record_id}/report.{ending}", "get"))
    served |= {(f"/records/{{record_id}}/report.{ending}", "get") for ending in ("html", "pdf")}
    assert served == {(path, method) for path, methods in openapi_document()["paths"].items() for method in methods}


def test_requests_at_random(small_build: Build, tmp_path: Path) -> None:
    """Answers are held to the description; no server error, no traceback, nobody else's name or id."""
    pytest.importorskip("schemathesis", reason="no schemathesis: pip install 'pathfolio[test]'")
    from tests.faults.fuzz import fuzz_site

    found = fuzz_site(small_build, tmp_path / "ledger", 320)
    assert found.findings == []
    assert found.requests == 320
    assert found.answers[200] > 50
