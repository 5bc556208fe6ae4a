"""The page of whom an asset suits: those for whom the rules let it through, with the reasons, and a recorded look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.recommender.build import Build
from pathfolio.recommender.investor_ranking import audience
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.site import create_app
from tests.explain.ledger_world import entry_of


@pytest.fixture
def desk(small_build: Build, tmp_path: Path) -> Desk:
    return Desk(Adviser(small_build, rules_for(small_build.graph)), open_ledger(tmp_path / "ledger"))


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(desk.adviser.build, desk=desk).test_client()


@pytest.fixture
def asset(small_build: Build) -> str:
    """The asset that most investors hold: who never had it is no matter of course."""
    held = np.bincount(small_build.scorer.interactions.ever.indices)
    return str(small_build.graph.nodes.id[small_build.graph.assets[int(held.argmax())]])


def test_the_audience_is_ranked_and_suited_and_each_score_is_explained(
    client: FlaskClient, desk: Desk, asset: str
) -> None:
    scorer = desk.adviser.build.scorer
    expected = audience(scorer, asset, 10, gate=desk.adviser.gate)
    page = client.get(f"/assets/{asset}/audience?k=10&format=json").get_json()
    assert [(line["rank"], line["investor"]["id"], line["score"]) for line in page["audience"]] == [
        (person.rank, person.user_id, pytest.approx(person.score)) for person in expected
    ]
    for line in page["audience"]:
        assert line["reasons"]
        assert sum(share["value"] for share in line["shares"]) == pytest.approx(line["score"])


def test_the_look_is_in_the_ledger_before_the_page_is_shown(client: FlaskClient, desk: Desk, asset: str) -> None:
    assert client.get(f"/assets/{asset}/audience?k=10").status_code == 200
    [header] = desk.ledger.headers(kinds=["access"])
    look = entry_of(desk.ledger, header.id)
    assert look["purpose"] == f"audience of {asset}: 10 investors"
    named = [entry_of(desk.ledger, record)["question"] for record in look["records"]]
    people = audience(desk.adviser.build.scorer, asset, 10, gate=desk.adviser.gate)
    assert [(entry["user_id"], entry["through"]) for entry in named] == [(p.user_id, "site") for p in people]


def test_where_the_look_cannot_be_recorded_nobody_is_shown(
    client: FlaskClient, desk: Desk, asset: str, tmp_path: Path
) -> None:
    assert client.get(f"/assets/{asset}/audience?k=10").status_code == 200
    people = audience(desk.adviser.build.scorer, asset, 10, gate=desk.adviser.gate)
    assert desk.ledger.folder is not None
    (desk.ledger.folder / "ledger.sqlite").rename(tmp_path / "gone")
    answer = client.get(f"/assets/{asset}/audience?k=10")
    assert answer.status_code == 503
    assert not any(person.user_id in answer.text for person in people)


@pytest.mark.parametrize("k", ["0", "101"])
def test_a_length_beyond_bounds_is_refused(client: FlaskClient, asset: str, k: str) -> None:
    refused = client.get(f"/assets/{asset}/audience?k={k}")
    assert refused.status_code == 400
    assert f"{k} investors: ask for 1 to 100." in refused.text


def test_an_asset_that_is_not_there_has_no_audience(client: FlaskClient) -> None:
    assert client.get("/assets/nothing/audience").status_code == 404
