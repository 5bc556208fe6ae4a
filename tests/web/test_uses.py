"""Queries, exports and changes of accounts are entries of the ledger, sealed with the key of who did them; logs name
no client."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.inspect import list_records
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.server import ServerOptions
from pathfolio.kg.store.service import GraphService
from pathfolio.recommender.build import Build
from pathfolio.web.advice import account_name
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.graph import question
from pathfolio.web.site.graph.desk import GraphDesk, State
from tests.explain.ledger_world import entry_of
from tests.explain.records_world import LOOK, investors


def entries(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    return [entry_of(ledger, header.id) for header in ledger.headers(kinds=[kind])]


@pytest.fixture
def app(adviser: Adviser, build: Build, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(GraphDesk, "start", lambda self: None)
    monkeypatch.setattr(GraphDesk, "wait", lambda self, seconds: State.READY)
    monkeypatch.setattr(question, "answer_to", lambda *_: QueryResult(("n",), ((1,),), None, 0.0))
    return create_app(build, sample_access(investors(build)[1]), desk=Desk(adviser, ledger))


def signed_in(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    form = {"csrf_token": token_of(client.get("/sign-in").text), "name": name}
    assert client.post("/sign-in/sample", data=form).status_code == 303
    return client


def token_of(page: str) -> str:
    found = re.search(r'csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_queries_at_the_console(app: Flask, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(app, "analyst")
    assert client.get("/graph").status_code == 200
    assert entries(ledger, "query") == []
    assert client.get("/graph?query=RETURN 1&parameters=a=U7&format=csv").status_code == 200
    assert client.post("/graph", json={"query": "RETURN $a", "parameters": {"a": "U8"}}).status_code == 200
    programs, page = entries(ledger, "query")
    assert (page["who"], page["query"], page["lines"], page["format"]) == ("analyst", "RETURN 1", "a=U7", "csv")
    assert (programs["who"], programs["parameters"]) == ("analyst", '{"a": "U8"}')
    assert all(header.key for header in ledger.headers(kinds=["query"])), "sealed, since it may name somebody"
    assert [row.who for row in list_records(ledger, LOOK, ledger.headers(kinds=["query"]))] == ["analyst"] * 2

    def full(*_: object, **__: object) -> None:
        raise LedgerError("full")

    monkeypatch.setattr(ledger, "write", full)
    monkeypatch.setattr(question, "answer_to", lambda *_: pytest.fail("it was not recorded"))
    assert client.post("/graph", json={"query": "RETURN 1"}).status_code == 503


def test_queries_by_command(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    ask = ["cypher", "--build", str(build.folder)]
    assert (main(["cypher", "--list"]), main([*ask, "CREATE (n)"])) == (0, 2)
    assert not (tmp_path / "ledger").exists(), "nothing was asked"
    person = [*ask, "MATCH (u:User {id: $id}) RETURN u.id AS id", "-P", "id=INV000002"]
    with GraphService.of_build(build.folder, options=ServerOptions(heap="512m"), share=True):
        assert main(person) == 0
        out = ["--format", "csv", "--out", str(tmp_path / "held.csv")]
        assert main([*ask, "--name", "most_held", "-P", "most=3", *out]) == 0
        ledger = open_ledger(tmp_path / "ledger", environ={})
        named, own = entries(ledger, "query")
        assert (own["query"], own["parameters"], own["server"]) == (person[3], '{"id": "INV000002"}', str(build.folder))
        assert (own["format"], named["format"], named["file"]) == ("", "csv", "held.csv")
        assert (named["name"], named.get("query")) == ("most_held", None)
        assert '"most": 3' in named["parameters"]
        assert own["who"] == account_name()
        assert all(header.key for header in ledger.headers(kinds=["query"])), "sealed, since it may name somebody"

        def full(*_: object, **__: object) -> None:
            raise LedgerError("full")

        monkeypatch.setattr(Ledger, "write", full)
        capsys.readouterr()
        assert (main(person), capsys.readouterr().out) == (1, "")


def test_changes_of_accounts_on_the_site(app: Flask, ledger: Ledger) -> None:
    client = signed_in(app, "administrator")
    form = {"csrf_token": token_of(client.get("/accounts").text)}
    assert client.post("/accounts/analyst", data=form | {"enabled": "no"}).status_code == 303
    assert client.post("/accounts/nobody", data=form | {"enabled": "no"}).status_code == 404
    assert entries(ledger, "account") == [{"who": "administrator", "account": "analyst", "change": "disable"}]


def test_changes_of_accounts_and_exports_by_command(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    where = ["accounts", "--accounts", str(tmp_path / "accounts.db")]
    assert main([*where, "list"]) == 0
    assert not (tmp_path / "ledger").exists()
    assert main([*where, "add", "ann", "--role", "analyst", "--token-only"]) == 0
    assert main([*where, "token", "ann"]) == 0
    assert main([*where, "add", "ivy", "--role", "investor", "--investor", "INV7", "--token-only"]) == 0
    assert main(["export", "embeddings", str(build.folder), "--format", "npz", "--out", str(tmp_path / "v.npz")]) == 0
    ledger = open_ledger(tmp_path / "ledger", environ={})
    assert [each["change"] for each in entries(ledger, "account")] == ["add", "token", "add"]
    assert [each.get("role") for each in entries(ledger, "account")] == ["investor", None, "analyst"]
    assert [each.get("investor") for each in entries(ledger, "account")] == ["INV7", None, None]
    made = entries(ledger, "export")[0]
    assert (made["what"], made["build"], made["file"]) == ("embeddings", build.build_hash, "v.npz")


def test_staff_say_why_before_a_persons_page_opens(app: Flask, build: Build, ledger: Ledger) -> None:
    other = investors(build)[2]
    asset = str(build.graph.nodes.id[build.graph.assets[3]])
    staff, pages = signed_in(app, "compliance"), (f"/investors/{other}", f"/investors/{other}/what-if")
    pages += (f"/investors/{other}/assets/{asset}", f"/assets/{asset}/audience?k=10")
    before = ledger.size
    for page in pages:
        for address in (page, f"{page}{'&' if '?' in page else '?'}purpose=curiosity"):
            assert staff.get(address).status_code == 428, address
            assert staff.get(address, headers={"Accept": "application/json"}).get_json()["status"] == 428
    assert staff.post("/api/what-if", json={"user_id": other}).status_code == 428
    assert ledger.size == before
    form = {"csrf_token": token_of(staff.get(pages[0]).text), "purpose": "complaint 7", "next": pages[0]}
    assert staff.post("/records/purpose", data=form).location == pages[0]
    assert [staff.get(page).status_code for page in pages] == [200] * 4
    assert staff.post("/api/what-if", json={"user_id": other}).status_code == 200
    for kind, count in (("recommendation", 2), ("what-if", 2)):
        asked = [each["question"] for each in entries(ledger, kind)]
        assert [(each["who"], each["purpose"]) for each in asked] == [("compliance", "complaint 7")] * count


def test_investors_and_whoever_serves_a_build_to_themselves_are_not_asked_why(
    app: Flask, adviser: Adviser, build: Build, ledger: Ledger
) -> None:
    own = investors(build)[1]
    assert signed_in(app, "investor").get(f"/investors/{own}").status_code == 200
    assert signed_in(app, "investor").post("/api/what-if", json={"user_id": own}).status_code == 200
    assert create_app(build, desk=Desk(adviser, ledger)).test_client().get(f"/investors/{own}").status_code == 200
    assert not any("purpose" in each["question"] for each in entries(ledger, "recommendation"))


def test_logs_name_no_client(
    app: Flask, build: Build, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = investors(build)[2]
    assert signed_in(app, "investor").get(f"/investors/{user}").status_code == 403
    client = app.test_client()
    form = {"csrf_token": token_of(client.get("/sign-in").text), "name": user, "password": "no such password"}
    assert client.post("/sign-in", data=form).status_code == 401

    def broken(*_: object) -> None:
        raise KeyError(user)

    monkeypatch.setattr(Desk, "show", broken)
    purpose = {"Pathfolio-Purpose": "test"}
    assert signed_in(app, "compliance").get(f"/investors/{user}", headers=purpose).status_code == 500
    assert "was refused investors.investor" in caplog.text
    assert "sign-in failed for an unknown name" in caplog.text
    assert "KeyError in GET investors.investor" in caplog.text
    assert "in show" in caplog.text or "in broken" in caplog.text
    assert user not in caplog.text
