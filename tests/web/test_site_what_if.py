"""What-if lists on the site and by its API: moves, refusals, records and who may ask."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import fields
from html import unescape

import pytest
from flask.testing import FlaskClient

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.assumption import WHAT_IF
from pathfolio.explain.records.desk import Desk
from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.recommender.scorer import Scorer
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.listed import SHOWN_REASONS
from pathfolio.web.site.pages.what_if import QuestionnairePage, WhatIfPage
from pathfolio.web.site.recorded import ask_what_if
from pathfolio.web.site.render import served
from pathfolio.web.site.what_if_json import asked_of
from tests import ROOT
from tests.explain.what_if_world import busy, new_asset

TEMPLATES = ROOT / "web" / "site" / "templates"


@pytest.fixture(scope="module")
def scorer(build: Build) -> Scorer:
    return build.scorer


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path_factory.mktemp("what-if") / "ledger", environ={})
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(build: Build, ledger: Ledger) -> FlaskClient:
    app = create_app(build, desk=Desk(Adviser(build, rules_for(build.graph)), ledger))
    app.config["TESTING"] = True
    return app.test_client()


def name_of(build: Build, user: int) -> str:
    return str(build.graph.nodes.id[build.graph.users[user]])


def asset_name(build: Build, asset: int) -> str:
    return str(build.graph.nodes.id[build.graph.assets[asset]])


def test_the_api_answers_with_moves_and_reasons(
    client: FlaskClient, build: Build, scorer: Scorer, ledger: Ledger
) -> None:
    user = busy(scorer)
    followed = asset_name(build, new_asset(scorer, user))
    asked = {"user_id": name_of(build, user), "follow": [followed], "k": 8, "lang": "zh-TW"}
    response = client.post("/api/what-if", json=asked)
    assert response.status_code == 200
    found = response.get_json()
    assert [line["rank"] for line in found["list"]] == list(range(1, 9))
    assert [node["id"] for node in found["assumed"]["follow"]] == [followed]
    for line in found["list"]:
        parts = sum(p["value"] for p in line["base"]) + sum(p["value"] for p in line["channels"])
        assert parts == pytest.approx(line["score"], abs=1e-6)
        cited = {name for reason in line["reasons"] for name in reason["evidence"]}
        assert cited <= {path["id"] for path in line["paths"]} | {fact["id"] for fact in line["facts"]}
        assert {reason["lang"] for reason in line["reasons"]} <= {"zh-TW"}
        assert all(isinstance(text, str) for text in line["warnings"])
    header = ledger.header(response.headers["Pathfolio-Record"])
    assert header.kind == WHAT_IF
    assert ledger.headers(kinds=[WHAT_IF], person=name_of(build, user))[0].id == header.id


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([1], "no JSON object"),
        ({"follow": ["nope"]}, "no asset 'nope'"),
        ({"user_id": "nobody"}, "no user 'nobody'"),
        ({"k": 0}, "give k from 1"),
        ({"k": "ten"}, "give k from 1"),
        ({"kind": "coin"}, "no kind of asset 'coin'"),
        ({"follow": "TW-1"}, "no list of texts"),
        ({"dismiss": ["x"] * 51}, "name 50 at most"),
        ({"profile": {"risk_level": "Bold"}}, "choose from"),
        ({"profile": {"horizon": "long"}}, "no number of years"),
        ({"profile": {"shoe_size": "42"}}, "no question 'shoe_size'"),
        ({"profile": {"interests": ["Alchemy"]}}, "no industry, sector or category 'Alchemy'"),
        ({"folow": []}, "'folow' is no part"),
        ({"lang": "fr"}, "no language"),
    ],
)
def test_wrong_questions_are_told_what_is_wrong(client: FlaskClient, body: object, said: str) -> None:
    response = client.post("/api/what-if", json=body)
    assert response.status_code == 400
    assert said in response.get_json()["error"]


def test_only_json_is_taken(client: FlaskClient) -> None:
    """A form of another site could send text/plain; that needs a token of ours, and has none."""
    assert client.post("/api/what-if", data="{}", content_type="text/plain").status_code == 400
    for body in (
        "[" * 100_000,
        '{"profile":' * 5000,
        '{"k": true}',
        '{"kind": "\\ud800"}',
        '{"k": 1' + "0" * 5000 + "}",
    ):
        assert client.post("/api/what-if", data=body, content_type="application/json").status_code == 400, body[:20]


def test_an_investor_asks_for_themself_alone(build: Build, scorer: Scorer, ledger: Ledger) -> None:
    own, other = name_of(build, busy(scorer)), name_of(build, 0)
    assert own != other
    app = create_app(build, sample_access(own), desk=Desk(Adviser(build, rules_for(build.graph)), ledger))
    app.config["TESTING"] = True
    client = app.test_client()
    assert client.post("/api/what-if", json={}).status_code == 401
    token = re.search(r'csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert token is not None
    client.post("/sign-in/sample", data={"csrf_token": token.group(1), "name": "investor"})
    assert client.post("/api/what-if", json={"user_id": own}).status_code == 200
    assert client.post("/api/what-if", json={"user_id": other}).status_code == 403
    assert client.get(f"/investors/{other}/what-if").status_code == 403
    assert client.get(f"/investors/{own}/what-if").status_code == 200
    assert client.get("/questionnaire").status_code == 200


@pytest.mark.parametrize("lang", languages())
def test_the_page_shows_the_moves(client: FlaskClient, build: Build, scorer: Scorer, lang: str) -> None:
    user = busy(scorer)
    followed = asset_name(build, new_asset(scorer, user))
    address = f"/investors/{name_of(build, user)}/what-if"
    plain = client.get(address, query_string={"lang": lang})
    assert plain.status_code == 200
    assert "chip-follow" not in plain.text
    asked = {"follow": followed, "dismiss": asset_name(build, 5), "lang": lang}
    page = client.get(address, query_string=asked)
    assert page.status_code == 200
    text = unescape(page.text)
    assert 'class="move move-up"' in text
    assert f'name="follow" value="{followed}"' in text
    form = page.text[page.text.index('class="columns assuming"') :]
    assert "name=" not in form[form.index("<button") : form.index("</button>")]  # what Enter presses changes nothing
    twin = client.get(address, query_string={**asked, "format": "json"}).get_json()
    assert [line["place"]["rank"] for line in twin["lines"]] == list(range(1, 11))
    assert twin["is_changed"]
    undone = client.get(address, query_string={**asked, "undo": followed, "format": "json"}).get_json()
    assert undone["form"]["followed"] == []


def test_a_caution_behind_the_strongest_reasons_is_shown(client: FlaskClient, build: Build, scorer: Scorer) -> None:
    late = 0
    for user in (busy(scorer), 0, 1, 2, 3):
        name, followed = name_of(build, user), asset_name(build, new_asset(scorer, user))
        asked = {"follow": followed, "format": "json"}
        twin = client.get(f"/investors/{name}/what-if", query_string=asked).get_json()
        with client.application.test_request_context():
            asked_here = asked_of(served(), name, (), [followed])
            found = ask_what_if("explanations", lambda advice: advice.explanations, asked_here, "en", "site")
        for explanation, shown in zip(found, twin["lines"], strict=True):
            reasons = explanation.reasons_in("en")
            first = next((at for at, reason in enumerate(reasons) if reason.is_caution), None)
            late += first is not None and first >= SHOWN_REASONS
            assert any(reason["is_caution"] for reason in shown["reasons"]) == (first is not None)
    assert late  # otherwise nothing was tested


def test_an_asset_can_be_followed_by_its_name(client: FlaskClient, build: Build, scorer: Scorer) -> None:
    user = busy(scorer)
    asset = new_asset(scorer, user)
    name = build.graph.display_name(int(build.graph.assets[asset]))
    address = f"/investors/{name_of(build, user)}/what-if"
    twin = client.get(address, query_string={"find": name, "format": "json"}).get_json()
    assert [node["id"] for node in twin["form"]["followed"]] == [asset_name(build, asset)]
    missed = client.get(address, query_string={"find": "no such thing"})
    assert missed.status_code == 400
    assert "no asset" in missed.text


@pytest.mark.parametrize("page", [WhatIfPage, QuestionnairePage])
def test_templates_use_fields_that_the_pages_have(page: type[WhatIfPage] | type[QuestionnairePage]) -> None:
    used = set(re.findall(r"\bpage\.(\w+)", (TEMPLATES / page.template).read_text("utf-8")))
    assert used <= {f.name for f in fields(page)} | set(vars(page))


def test_an_answer_takes_milliseconds(client: FlaskClient, build: Build, scorer: Scorer) -> None:
    """Median processor time of a whole request: list, ten explanations, record. No training happens in that time."""
    user = busy(scorer)
    asked = {"user_id": name_of(build, user), "follow": [asset_name(build, new_asset(scorer, user))]}
    took = []
    for _ in range(9):
        start = time.process_time()
        assert client.post("/api/what-if", json=asked).status_code == 200
        took.append(time.process_time() - start)
    assert statistics.median(took[2:]) < 0.25  # some 20 ms on a quiet machine
