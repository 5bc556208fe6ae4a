"""Following, leaving out and answering on the site: kept, seen at once, taken back, and nobody else's business."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.records.telling import TOLD_KIND
from pathfolio.kg.schema import Relation
from pathfolio.recommender.build import Build
from pathfolio.web.site.access.roles import AccountRole
from tests.web.access_site import app, as_role, database, people

__all__ = ["app", "database", "people"]  # fixtures


@pytest.fixture(autouse=True)
def ledger_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told here moves lists, so no other test may read it."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return as_role(app, AccountRole.INVESTOR)


def assets_of(page: str) -> list[str]:
    return re.findall(r'name="follow" value="([^"]+)"', page)


def press(client: FlaskClient, user: str, page: str, **said: str) -> str:
    """Press a button of the page's form, and follow where it leads."""
    at = client.get(page).text
    form = re.search(r'<form id="tell" method="post" action="([^"]+)">(.*?)</form>', at)
    assert form is not None
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.group(2)))
    answer = client.post(form.group(1), data={**hidden, **said})
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    return client.get(page).text


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_follow_and_dismiss_from_the_list_and_take_it_back(
    client: FlaskClient, people: tuple[str, str], lang: str
) -> None:
    user, page = people[0], f"/investors/{people[0]}"
    client.get(f"/?lang={lang}")
    first = assets_of(client.get(page).text)
    assert len(first) == 10
    after = press(client, user, page, follow=first[0])
    assert f'name="unfollow" value="{first[0]}"' in after and first[0] not in assets_of(after)
    after = press(client, user, page, dismiss=first[1])
    assert not {first[0], first[1]} & set(assets_of(after)) and len(assets_of(after)) == 10
    after = press(client, user, page, unfollow=first[0])
    after = press(client, user, page, undismiss=first[1])
    assert assets_of(after) == first


def test_from_the_page_of_an_asset_of_a_reason_and_of_a_what_if(
    client: FlaskClient, people: tuple[str, str], build: Build
) -> None:
    user = people[0]
    asset = assets_of(client.get(f"/investors/{user}").text)[3]
    for page in (f"/assets/{asset}", f"/investors/{user}/assets/{asset}", f"/investors/{user}/what-if?dismiss={asset}"):
        assert 'name="follow"' in client.get(page).text, page
    shown = press(client, user, f"/assets/{asset}", follow=asset)
    assert f'name="unfollow" value="{asset}"' in shown
    assert f'name="unfollow" value="{asset}"' in client.get(f"/investors/{user}/assets/{asset}").text
    other = assets_of(client.get(f"/investors/{user}").text)[0]
    page = f"/investors/{user}/what-if?dismiss={other}"
    press(client, user, page, dismiss=other)
    assert other not in assets_of(client.get(f"/investors/{user}").text)


def test_answers_are_saved_and_used_at_once_with_their_day_and_the_record_says_so(
    client: FlaskClient, app: Flask, people: tuple[str, str], build: Build
) -> None:
    user = people[0]
    page = client.get(f"/investors/{user}/told").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    levels = re.search(r'<select id="risk_level"[^>]*>(.*?)</select>', page, re.DOTALL)
    assert levels is not None
    order = re.findall(r'value="([^"]+)"', levels.group(1))
    assert order == [word for word in ("Conservative", "Income", "Balanced", "Aggressive") if word in order]
    assert 'name="segment"' not in page
    industry = str(build.graph.nodes.id[build.graph.outgoing(Relation.IN_INDUSTRY).neighbour[0]])
    form = {"csrf_token": token.group(1), "risk_level": order[0], "horizon": "3", "interest": industry}
    answer = client.post(f"/investors/{user}/answers", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/investors/{user}")
    listed = client.get(f"/investors/{user}")
    assert "Your answers are saved" in listed.text
    assert "Your answers are saved" not in client.get(f"/investors/{user}").text
    ledger = app.extensions["pathfolio"].ledger
    record = ledger.opened(ledger.leaf(listed.headers["Pathfolio-Record"])).decode()
    assert f'"relation":"HAS_RISK","target":"{order[0]}"' in record
    told = client.get(f"/investors/{user}/told?format=json").json
    now = {(each["relation"], each["target"]) for each in told["now"]}
    assert now == {("HAS_RISK", order[0]), ("YEARS", "3"), ("INTERESTED_IN", industry)}
    assert {each["entry"] for each in told["now"]} == {ledger.headers(kinds=[TOLD_KIND])[0].id}
    page = client.get(f"/investors/{user}/told").text
    assert f'<option value="{order[0]}" selected>' in page
    found = client.get(f"/investors/{user}?format=json").json["portfolio"]["levels"]
    risk = next(level for level in found if level["node"]["kind"] == "RiskLevel")
    assert (risk["node"]["id"], risk["predicted"]) == (order[0], False)
    panel = listed.text.partition('<h2 id="profile">')[2]
    label = re.search(rf'<option value="{order[0]}" selected>([^<]+)</option>', page)
    assert label is not None and label.group(1) in panel
    assert label.group(1) in client.get(f"/investors/{user}/plan").text


def test_nobody_else_may_tell_and_staff_see_it_with_a_purpose(
    app: Flask, people: tuple[str, str], build: Build
) -> None:
    user, asset = people[0], str(build.graph.asset_ids[5])
    investor = as_role(app, AccountRole.INVESTOR)
    assert investor.post(f"/investors/{user}/told", data={"follow": asset}).status_code == 400  # no token
    token = re.search(r'name="csrf_token" value="([^"]+)"', investor.get(f"/investors/{user}").text)
    assert token is not None
    said = {"csrf_token": token.group(1), "follow": asset}
    assert investor.post(f"/investors/{people[1]}/told", data=said).status_code == 403
    assert investor.post(f"/investors/{user}/told", data={**said, "follow": "none"}).status_code == 404
    assert (
        investor.post(f"/investors/{user}/told", data={**said, "next": "https://evil.example/"})
        .headers["Location"]
        .startswith("/")
    )
    staff = as_role(app, AccountRole.COMPLIANCE)
    page = staff.get(f"/investors/{user}/told")
    assert page.status_code == 200 and 'id="tell"' not in page.text and "/answers" not in page.text
    looks = app.extensions["pathfolio"].ledger.headers(kinds=["access"])
    assert looks
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    assert staff.post(f"/investors/{user}/told", data={**said, "csrf_token": token.group(1)}).status_code == 403
    assert 'id="tell"' not in staff.get(f"/investors/{user}").text


def test_a_follow_reaches_nobody_elses_pages(app: Flask, people: tuple[str, str], build: Build) -> None:
    investor, staff = as_role(app, AccountRole.INVESTOR), as_role(app, AccountRole.COMPLIANCE)
    asset = assets_of(investor.get(f"/investors/{people[0]}").text)[0]

    def others() -> list[str]:
        pages = [f"/investors/{people[1]}?format=json", f"/assets/{asset}?format=json"]
        return [staff.get(page).text for page in pages] + [staff.get(f"/assets/{asset}/audience?format=json").text]

    before = others()
    press(investor, people[0], f"/investors/{people[0]}", follow=asset)
    assert others() == before
