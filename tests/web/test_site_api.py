"""The API's own description holds, and requests at random break nothing and tell nothing of another person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.store.query import QueryResult
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.graph import question
from pathfolio.web.site.graph.desk import GraphDesk, State
from pathfolio.web.site.openapi import openapi_document
from pathfolio.web.site.pages import canvas
from pathfolio.web.site.schemas import schemas_of
from pathfolio.web.site.view import view_of
from tests.web.site_pages import investors

NOT_IN_IT = {"static", "signin.signin", "signin.enter", "signin.sample", "signin.signout", "accounts.accounts",
             "accounts.change", "records.purpose", "reports.start", "reports.report", "reports.download",
             "console.console", "canvas.canvas", "saved.save",
             "saved.shared", "saved.remove", "api.openapi", "telling.tell", "telling.save_answers",
             "what_if.what_if", "what_if.questionnaire", "provider.begin", "provider.finish",
             "provider.refused", "provider.signed_out"}  # fmt: skip
"""Pages for people alone, and what they save."""


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
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in NOT_IN_IT
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, methods in openapi_document()["paths"].items() for method in methods}


def test_a_description_holds_what_the_one_by_hand_did() -> None:
    """Every path, argument, status and part of an answer that was described when it was written by hand."""
    described = set(_lines(openapi_document()))
    before = (Path(__file__).parent / "described.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in before if line not in described and line.removesuffix("?") not in described] == []


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            at = f"{method} {path}"
            for each in operation.get("parameters", []):
                found = _resolved(document, each)
                yield f"{at}: {found['in']} {found['name']}" + (" required" if found.get("required") else "")
            yield from (f"{at}: {status}" for status in operation["responses"])
            answer = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
            yield from (f"{at}: {name}" for name in _names(document, answer, ""))
            asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            yield from (f"{at}: body{name}" for name in _names(document, asked, ""))


def _names(document: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    found = _resolved(document, schema)
    for each in found.get("anyOf", []):
        yield from _names(document, each, at)
    for name, part in found.get("properties", {}).items():
        yield f"{at}.{name}" + ("" if name in found.get("required", []) else "?")
        yield from _names(document, part, f"{at}.{name}")
    if isinstance(found.get("items"), dict):
        yield from _names(document, found["items"], f"{at}[]")


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        _, _, group, name = part["$ref"].split("/")
        part = document["components"][group][name]
    return part


def test_every_twin_is_as_described(small_build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The JSON of every page, in every language, has what its context's type says and nothing else."""
    monkeypatch.setattr(GraphDesk, "start", lambda self: None)
    monkeypatch.setattr(GraphDesk, "wait", lambda self, seconds: State.READY)
    monkeypatch.setattr(question, "answer_to", lambda *_: QueryResult(("n",), ((1,),), None, 0.0))
    monkeypatch.setattr(canvas, "_ask", lambda *_: QueryResult((), (), None, 0.0))
    accounts = Accounts(tmp_path / "accounts.db")
    tokens = {}
    for role in AccountRole:
        accounts.add(role.value, role, None, investors(small_build)[1] if role is AccountRole.INVESTOR else None)
        tokens[role] = accounts.new_token(role.value)
    app = create_app(small_build, Access(accounts))
    client, seen = app.test_client(), set()

    def asked(role: AccountRole | None, url: str, **more: Any) -> TestResponse:
        headers = {"Accept": "application/json", "Pathfolio-Purpose": "test"}
        headers |= {} if role is None else {"Authorization": f"Bearer {tokens[role]}"}
        answer = client.open(url, headers=headers, **more)
        assert answer.status_code == 200, (url, answer.text[:300])
        with app.test_request_context(url, method=more.get("method", "GET")) as context:
            endpoint = str(context.request.endpoint)
        seen.add(endpoint)
        (schema,), named = schemas_of([answer_of(app, endpoint)])
        whole = {**schema, "components": {"schemas": named}}
        for error in Draft202012Validator(whole).iter_errors(answer.get_json()):
            raise AssertionError(f"{url}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
        return answer

    for lang in LANGUAGES:
        for role, url in _pages(small_build, lang):
            asked(role, url)
        body = {"lang": lang, "profile": {"horizon": 5}}
        asked(
            AccountRole.COMPLIANCE, "/api/what-if", method="POST", json={**body, "user_id": investors(small_build)[2]}
        )
        asked(AccountRole.ANALYST, "/api/questionnaire", method="POST", json=body)
        asked(AccountRole.ANALYST, "/graph", method="POST", json={"query": "RETURN 1"})
        asked(AccountRole.ANALYST, "/graph/picture", method="POST", json={})
        lists = [
            asked(AccountRole.COMPLIANCE, f"/investors/{user}?lang={lang}") for user in investors(small_build)[1:3]
        ]
        one, other = (answer.headers["Pathfolio-Record"] for answer in lists)
        asked(AccountRole.COMPLIANCE, f"/records/{one}?lang={lang}")
        asked(AccountRole.COMPLIANCE, f"/records/compare?a={one}&b={other}&lang={lang}")
        asked(AccountRole.COMPLIANCE, f"/records?lang={lang}")
        asked(AccountRole.COMPLIANCE, f"/records/statistics?lang={lang}")
        asked(AccountRole.COMPLIANCE, f"/records/reports?lang={lang}")
    views = {name: view_of(function) for name, function in app.view_functions.items()}
    assert seen == {name for name, view in views.items() if view is not None and view.answer is not None}


def answer_of(app: Flask, endpoint: str) -> type:
    view = view_of(app.view_functions[endpoint])
    assert view is not None
    assert view.answer is not None, endpoint
    return view.answer


def _pages(build: Build, lang: str) -> Iterator[tuple[AccountRole | None, str]]:
    graph = build.graph
    person, *others = investors(build)[1:]
    assets = [str(graph.nodes.id[graph.rows(kind)[1]]) for kind in (NodeKind.STOCK, NodeKind.FUND)]
    say = f"lang={lang}"
    yield None, f"/sign-in?{say}"
    yield AccountRole.INVESTOR, f"/?{say}"
    yield AccountRole.COMPLIANCE, f"/?{say}"
    yield AccountRole.COMPLIANCE, f"/search?q=a&{say}"
    yield AccountRole.ENGINEER, f"/build?{say}"
    yield AccountRole.ADMINISTRATOR, f"/accounts?{say}"
    yield AccountRole.ANALYST, f"/graph?query=RETURN+1&{say}"
    yield AccountRole.ANALYST, f"/graph/find?q=fund&{say}"
    yield AccountRole.ANALYST, f"/graph/saved?log=yes&{say}"
    yield AccountRole.ANALYST, f"/graph/ties?kind=Fund&id=1&{say}"
    yield AccountRole.ANALYST, f"/graph/algorithms?name=pagerank&{say}"
    yield AccountRole.ANALYST, f"/questionnaire?{say}"
    yield AccountRole.ANALYST, f"/questionnaire?horizon=5&{say}"
    yield AccountRole.INVESTOR, f"/investors/{person}?kind=fund&{say}"
    yield AccountRole.INVESTOR, f"/investors/{person}/told?{say}"
    yield AccountRole.INVESTOR, f"/investors/{person}/charts?{say}"
    yield AccountRole.INVESTOR, f"/investors/{person}/plan?step=manage&{say}"
    yield AccountRole.INVESTOR, f"/investors/{person}/portfolio?budget=30&{say}"
    yield AccountRole.ENGINEER, f"/neighbours?node=Fund:{assets[1]}&{say}"
    yield AccountRole.ENGINEER, f"/assets?q=a&kind=Stock&sort=price&{say}"
    yield AccountRole.ANALYST, f"/assets/compare?asset={assets[0]}&asset={assets[1]}&{say}"
    for asset in assets:
        yield AccountRole.ANALYST, f"/assets/{asset}?{say}"
        yield AccountRole.COMPLIANCE, f"/assets/{asset}/audience?k=10&{say}"
        yield AccountRole.COMPLIANCE, f"/investors/{others[0]}/assets/{asset}?{say}"
        yield AccountRole.COMPLIANCE, f"/investors/{others[0]}/what-if?follow={asset}&{say}"
        yield AccountRole.INVESTOR, f"/investors/{person}/assets/{asset}/instead-of?other=a&{say}"
        yield AccountRole.INVESTOR, f"/investors/{person}/assets/{asset}/changes?{say}"


def test_requests_at_random(small_build: Build, tmp_path: Path) -> None:
    """Answers are held to the description; no server error, no traceback, nobody else's name or id."""
    pytest.importorskip("schemathesis", reason="no schemathesis: pip install 'pathfolio[test]'")
    from tests.faults.fuzz import fuzz_site

    found = fuzz_site(small_build, tmp_path / "ledger", 400)
    assert found.findings == []
    assert found.requests == 400
    assert found.answers[200] > 50
