"""The pages of records: found, read, compared, counted and handed out, each look recorded with its purpose."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.store import ENTRY
from pathfolio.explain.records import find
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.everybody import Everybody, serve_everybody
from pathfolio.explain.records.find import Finder, Search
from pathfolio.explain.records.history import compare
from pathfolio.explain.records.inspect import Look
from pathfolio.explain.records.layout import parse_record
from pathfolio.kg.languages import DEFAULT, languages
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from pathfolio.web.site.texts import texts_of
from tests.explain.ledger_world import entry_of

PURPOSE = {"Pathfolio-Purpose": "complaint 7"}
JSON = {"format": "json"}


class Clock:
    """A clock that the test sets."""

    now = datetime(2026, 7, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "ledger", environ={}, clock=Clock())


@pytest.fixture
def app(small_build: Build, ledger: Ledger) -> Flask:
    app = create_app(small_build, desk=Desk(Adviser(small_build, load_rules("tw")), ledger))
    app.extensions["pathfolio_graph"].close()
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def served(client: FlaskClient, small_build: Build, ledger: Ledger) -> list[str]:
    """Ids of four records, two of the same investor, a day between each."""
    ids = [str(key) for key in small_build.graph.nodes.id[small_build.graph.users]]
    made = []
    for number, user in enumerate((ids[1], ids[2], ids[1], ids[4])):
        ledger.clock.now = datetime(2026, 7, 1 + number, 9, tzinfo=UTC)  # type: ignore[attr-defined]
        made.append(client.get(f"/investors/{user}?format=json").headers["Pathfolio-Record"])
    return made


def found(client: FlaskClient, **search: str) -> list[str]:
    response = client.get("/records", headers=PURPOSE, query_string={**JSON, **search})
    assert response.status_code == 200, response.text
    return [line["id"] for line in response.get_json()["records"]]


def looks(ledger: Ledger) -> list[dict[str, Any]]:
    """The newest first."""
    return [entry_of(ledger, header.id) for header in ledger.headers(kinds=["access"])]


def test_records_are_found_by_all_that_matters(
    client: FlaskClient, served: list[str], small_build: Build, ledger: Ledger
) -> None:
    ids = [str(key) for key in small_build.graph.nodes.id[small_build.graph.users]]
    assert found(client) == served[::-1]
    assert found(client, investor=ids[1]) == [served[2], served[0]]
    assert found(client, investor="nobody") == []
    assert found(client, first="2026-07-02", last="2026-07-03") == [served[2], served[1]]
    assert found(client, build=small_build.build_hash[:10]) == served[::-1]
    assert found(client, build="feed") == []
    records = {name: entry_of(ledger, name) for name in served}
    asset = records[served[0]]["list"][0]["asset_id"]
    holding = [
        name
        for name, record in records.items()
        if asset in {item["asset_id"] for item in [*record["list"], *record["rejected"]]}
    ]
    assert found(client, asset=asset) == holding[::-1]
    rejecting = [name for name, record in records.items() if record["rejected"]]
    assert len(rejecting) > 0
    assert found(client, verdict="reject") == rejecting[::-1]
    assert client.get("/records?verdict=maybe", headers=PURPOSE).status_code == 400
    assert client.get("/records?first=yesterday", headers=PURPOSE).status_code == 400


def test_the_list_goes_on_where_it_stopped(client: FlaskClient, served: list[str], ledger: Ledger) -> None:
    finder = Finder(ledger)
    look = Look("clerk", "test")
    first = finder.find(Search(), look, most=3)
    assert [summary.header.id for summary in first.records] == served[:0:-1]
    rest = finder.find(Search(), look, most=3, before=first.before)
    assert ([summary.header.id for summary in rest.records], rest.before) == (served[:1], None)
    none_in_time = finder.find(Search(asset="no such asset"), look, seconds=0)
    assert (none_in_time.records, none_in_time.looked_through) == ((), 1)


def test_no_look_without_a_purpose_and_each_is_recorded(client: FlaskClient, served: list[str], ledger: Ledger) -> None:
    one = f"/records/{served[0]}"
    addresses = ["/records", "/records/statistics", f"/records/compare?a={served[0]}&b={served[1]}"]
    addresses += [one, f"{one}/case.zip", f"{one}/report.html"]
    for address in addresses:
        assert client.get(address).status_code == 428
        assert client.get(address, headers={"Accept": "application/json"}).status_code == 428
        link = client.get(f"{address}{'&' if '?' in address else '?'}purpose=curiosity")
        assert link.status_code == 428, "anybody may write a link"
    assert looks(ledger) == []
    page = client.get(f"/records/{served[0]}").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token.group(1), "purpose": "yearly review", "next": f"/records/{served[0]}"}
    assert client.post("/records/purpose", data=form).headers["Location"] == f"/records/{served[0]}"
    for number, address in enumerate(addresses, 1):
        assert client.get(address).status_code == 200, address
        assert len(looks(ledger)) >= number
        assert looks(ledger)[0]["purpose"] == "yearly review"
    assert served[0] in looks(ledger)[0]["records"]


def test_programs_say_their_purpose_in_a_header(client: FlaskClient, served: list[str], ledger: Ledger) -> None:
    for said, known in (("audit 8", "audit 8"), ("%E6%9F%A5%E6%A0%B8", "查核"), ("x" * 300, "x" * 200)):
        assert client.get(f"/records/{served[0]}", headers={"Pathfolio-Purpose": said}).status_code == 200
        assert looks(ledger)[0]["purpose"] == known
    assert client.get(f"/records/{served[0]}", headers={"Pathfolio-Purpose": " "}).status_code == 428


def test_the_purpose_is_on_every_page_and_can_be_changed(client: FlaskClient, served: list[str]) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/records").text)
    assert token
    form = {"csrf_token": token.group(1)}
    client.post("/records/purpose", data=form | {"purpose": "complaint 7", "next": "/records"})
    pages = [
        "/records",
        "/records/statistics",
        f"/records/{served[0]}",
        f"/records/compare?a={served[0]}&b={served[1]}",
    ]
    for address in pages:
        html = unescape(client.get(address).text)
        assert "<summary>You look at records for this purpose: <b>complaint 7</b></summary>" in html
        assert 'action="/records/purpose"' in html
    moved = client.post("/records/purpose", data=form | {"purpose": "audit 8", "next": pages[-1]})
    assert moved.location == pages[-1]
    assert "<b>audit 8</b>" in client.get(pages[0]).text


def test_many_looks_are_folded_and_none_is_left_out(client: FlaskClient, served: list[str]) -> None:
    for _ in range(6):
        html = client.get(f"/records/{served[0]}", headers=PURPOSE).text
    shown, folded = html.split("earlier looks</summary>")
    assert folded.split("</details>")[0].count("<li>") + shown.count("<b>Looked at</b>") == 6
    assert shown.count("<b>Looked at</b>") == 3


def test_a_list_says_how_many_of_its_lines_have_cautions(client: FlaskClient, served: list[str]) -> None:
    html = client.get("/records", headers=PURPOSE).text
    record = client.get(f"/records/{served[0]}", query_string=JSON, headers=PURPOSE).get_json()["record"]
    warned = sum(item["verdict"]["outcome"] == "warn" for item in record["list"])
    assert warned
    row = next(row for row in html.split("<tr>") if served[0] in row)
    assert row.count("verdict-warn") == 1
    assert f"caution {warned} of {len(record['list'])}" in row


def test_a_build_s_stages_are_told_in_the_reader_s_language(client: FlaskClient, small_build: Build) -> None:
    details = [stage["detail"] for stage in small_build.report["stages"] if stage["name"] == "assemble graph"]
    assert details
    pages = {lang: unescape(client.get("/build", query_string={"lang": lang}).text) for lang in languages()}
    assert [lang for lang, page in pages.items() if details[0] in page] == [DEFAULT]
    assert re.search(r"[\d,]+ 個節點，[\d,]+ 筆載有日期的關係，其中 [\d,]+ 筆現行有效", pages["zh-TW"])
    assert re.search(r"[\d,]+ 个节点，[\d,]+ 条有日期的关系，其中 [\d,]+ 条现行有效", pages["zh-CN"])
    assert "持有 <code" in pages["zh-TW"] and "持有 <code" in pages["zh-CN"]


def test_nothing_is_shown_when_the_look_cannot_be_recorded(
    client: FlaskClient, served: list[str], ledger: Ledger
) -> None:
    ledger.clock.now -= timedelta(days=30)  # type: ignore[attr-defined]
    for address in ("/records", f"/records/{served[0]}", f"/records/{served[0]}/case.zip"):
        response = client.get(address, query_string=JSON, headers=PURPOSE)
        assert response.status_code == 503
        assert "investor" not in response.get_json()


@pytest.mark.parametrize("lang", languages())
def test_a_record_s_page_says_it_all(client: FlaskClient, served: list[str], ledger: Ledger, lang: str) -> None:
    twin = client.get(f"/records/{served[0][:8]}", headers=PURPOSE, query_string={**JSON, "lang": lang}).get_json()
    record, html = twin["record"], unescape(client.get(f"/records/{served[0]}?lang={lang}", headers=PURPOSE).text)
    assert twin["header"]["id"] == served[0]
    assert twin["integrity"]["sound"]
    assert record["investor"]["user_id"] in html
    for item in record["list"]:
        assert item["asset_id"] in html
        said = [reason["text"] for reason in item["explanation"]["reasons"] if reason["lang"] == lang]
        assert all(text in html for text in said)
    assert all(item["asset_id"] in html for item in record["rejected"])
    assert record["build"]["hash"] in html
    assert texts_of(lang).say("verified_now") in html
    kinds = [event["kind"] for event in twin["timeline"]]
    assert kinds[:3] == ["build", "rules", "recommendation"]
    assert set(kinds[3:]) == {"access"}


def test_the_proof_is_computed_when_the_page_is_made(client: FlaskClient, served: list[str], ledger: Ledger) -> None:
    with ledger.store.write() as connection:
        statement = "UPDATE entry SET leaf_hash = zeroblob(32) WHERE id = ?"
        connection.exec_driver_sql(statement, (served[1],))
    assert not client.get(f"/records/{served[0]}", query_string=JSON, headers=PURPOSE).get_json()["integrity"]["sound"]
    assert "Not as it was written." in client.get(f"/records/{served[0]}", headers=PURPOSE).text


def test_holds_and_erasure_stand_in_the_timeline(
    client: FlaskClient, served: list[str], small_build: Build, ledger: Ledger
) -> None:
    user = str(small_build.graph.nodes.id[small_build.graph.users[1]])
    hold = custody.hold(ledger, person=user, who="counsel", reason="case 9")
    custody.release(ledger, hold.id, who="counsel", reason="settled")
    events = client.get(f"/records/{served[0]}", query_string=JSON, headers=PURPOSE).get_json()["timeline"]
    assert events[-1]["kind"] == "access"
    assert [(event["kind"], event["who"], event["text"]) for event in events[-3:-1]] == [
        ("hold", "counsel", "case 9"),
        ("release", "counsel", "settled"),
    ]
    assert user in client.get("/records", query_string=JSON, headers=PURPOSE).text  # the finder has read them all
    custody.erase(ledger, user, who="counsel", reason="asked", despite_retention=True)
    assert client.get(f"/records/{served[0]}", query_string=JSON, headers=PURPOSE).status_code == 410
    lines = client.get("/records", query_string=JSON, headers=PURPOSE).get_json()["records"]
    assert [line["state"] for line in lines] == ["readable", "erased", "readable", "erased"]
    assert user not in json.dumps(lines)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""),
        (b"{", b"["),
        (b'"id":"', b'"id":"0'),
        (b'"time":"2', b'"time":"3'),
        (b'"tags":{"as_of":"', b'"tags":{"as_of":5,"x":"'),
        (b'"kind":"recommendation"', b'"kind":["x"]'),
        (b"\n", b" "),
    ],
)
def test_an_altered_record_is_not_called_erased(
    old: bytes, new: bytes, client: FlaskClient, served: list[str], ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is listed as altered, the others as they are, wherever the changed bytes are."""
    _, leaf = ledger.row(served[0])
    altered = leaf.replace(old, new, 1) if old else leaf[:-1] + bytes([leaf[-1] ^ 1])
    assert altered != leaf
    with ledger.store.write() as connection:
        connection.execute(sa.update(ENTRY).where(ENTRY.c.id == served[0]).values(data=altered))
    page = client.get("/records", query_string=JSON, headers=PURPOSE)
    states = {line["id"]: line["state"] for line in page.get_json()["records"]}
    assert states == {name: "altered" if name == served[0] else "readable" for name in served}
    for address in (f"/records/{served[0]}", f"/records/{served[0]}/case.zip"):
        own = client.get(address, headers=PURPOSE)
        assert own.status_code == 409
        assert "A record was altered" in own.text
    text = client.get("/records", headers=PURPOSE).text
    assert ('<span class="muted">altered</span>' in text, '<span class="muted">erased</span>' in text) == (True, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHFOLIO_LEDGER", str(ledger.folder))
        assert main(["audit", "list"]) == 0
    lines = {line[:16]: line for line in capsys.readouterr().out.splitlines()}
    assert set(lines) == set(served)
    assert [name for name, line in lines.items() if "(altered)" in line] == [served[0]]


def test_summaries_take_no_more_memory_than_they_may(
    client: FlaskClient, served: list[str], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for two of the four: the finder forgets, and finds the same."""
    everything = Finder(ledger).find(Search(), Look("clerk", "test")).records
    monkeypatch.setattr(find, "_REMEMBERED", 2 * max(summary.size for summary in everything))
    finder = Finder(ledger)
    assert finder.find(Search(), Look("clerk", "test")).records == everything
    assert 1 <= len(finder._known) <= 2
    assert finder._size == sum(summary.size for summary in finder._known.values())
    assert finder.find(Search(), Look("clerk", "test")).records == everything


def test_two_records_compared(client: FlaskClient, served: list[str], ledger: Ledger) -> None:
    answer = client.get("/records/compare", headers=PURPOSE, query_string={**JSON, "a": served[1], "b": served[0]})
    twin = answer.get_json()
    assert (twin["first"]["id"], twin["second"]["id"]) == (served[0], served[1])
    one, two = (entry_of(ledger, name) for name in served[:2])
    ranks = [{item["asset_id"]: item["rank"] for item in record["list"]} for record in (one, two)]
    assert {
        change["asset_id"]: change["ranks"] for change in twin["found"]["assets"] if change["ranks"] != [None, None]
    } == {asset: [ranks[0].get(asset), ranks[1].get(asset)] for asset in ranks[0] | ranks[1]}
    assert one["investor"]["user_id"] != two["investor"]["user_id"]
    assert (twin["found"]["gained"], twin["found"]["lost"]) == ([], [])  # of two persons
    same = client.get(
        "/records/compare", headers=PURPOSE, query_string={**JSON, "a": served[0], "b": served[2]}
    ).get_json()
    assert all(len(set(map(str, change["ranks"]))) == 1 for change in same["found"]["assets"])
    assert client.get("/records/compare?a=&b=x", headers=PURPOSE).status_code == 404
    page = client.get(f"/records/compare?a={served[0]}&b={served[1]}", headers=PURPOSE).text
    assert "→" in page and "The first " in page and "k=10" not in page
    assert "Positions no longer there" not in page


def test_positions_of_one_investor_compared(served: list[str], ledger: Ledger) -> None:
    records = (parse_record(ledger.opened(ledger.leaf(name))) for name in served)
    record = next(found for found in records if len(found.investor.positions) > 1)
    fewer = replace(record, investor=replace(record.investor, positions=record.investor.positions[1:]))
    first = record.investor.positions[0].tail
    assert (compare(fewer, record).gained, compare(fewer, record).lost) == ((first,), ())
    assert (compare(record, fewer).gained, compare(record, fewer).lost) == ((), (first,))
    assert compare(record, fewer).same_investor


def test_counts_by_rule_are_those_of_the_records(client: FlaskClient, served: list[str], ledger: Ledger) -> None:
    twin = client.get("/records/statistics", query_string=JSON, headers=PURPOSE).get_json()
    records = [entry_of(ledger, name) for name in served]
    assert (twin["records"], twin["complete"]) == (4, True)
    for rule in twin["rules"]:
        assert rule["rejected"] == sum(record["candidates"]["rejected_by"][rule["rule"]] for record in records)
        assert rule["warned"] == sum(record["candidates"]["warned_by"][rule["rule"]] for record in records)
    assert sum(twin["lines"].values()) == sum(len(record["list"]) for record in records)
    assert list(twin["days"].values()) == [1, 1, 1, 1]
    day = client.get("/records/statistics", headers=PURPOSE, query_string={**JSON, "last": "2026-07-01"}).get_json()
    assert day["records"] == 1


def test_the_case_and_the_report_are_handed_out(client: FlaskClient, served: list[str]) -> None:
    answer = client.get(f"/records/{served[0]}/case.zip", query_string=JSON, headers=PURPOSE)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as case:
        assert "verify.py" in case.namelist()
        assert "VERIFIED" in case.read("verify.py").decode()
    assert f"case-{served[0]}.zip" in answer.headers["Content-Disposition"]
    report = client.get(f"/records/{served[0]}/report.html", headers=PURPOSE, query_string={**JSON, "lang": "zh-TW"})
    assert "推薦紀錄" in report.text
    assert report.headers["Content-Disposition"].startswith("attachment")
    for address in (
        "/records/ffffffffffffffff",
        "/records/ffffffffffffffff/case.zip",
        f"/records/{served[0]}/report.exe",
    ):
        assert client.get(address, query_string=JSON, headers=PURPOSE).status_code == 404


def test_a_list_of_everybody_has_a_page_with_its_reasons(
    app: Flask, client: FlaskClient, small_build: Build, ledger: Ledger, tmp_path: Path
) -> None:
    adviser = app.extensions["pathfolio"].desk.adviser
    asked = Everybody("clerk", "command line", 3)
    serve_everybody(adviser, ledger, asked, tmp_path / "all.csv", Progress(None), workers=1)
    user = str(small_build.graph.nodes.id[small_build.graph.users[3]])
    name = ledger.headers(person=user)[0].id
    twin = client.get(f"/records/{name}", query_string=JSON, headers=PURPOSE).get_json()
    assert twin["record"]["reasons"] == "computed again"
    assert all(item["explanation"]["reasons"] for item in twin["record"]["list"])
    html = client.get(f"/records/{name}", headers=PURPOSE).text
    assert "handed out without reasons" in html
