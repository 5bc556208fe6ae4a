"""The plan: four steps that rest on each other, targets that add up, and what stays as it is."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.build import Build
from pathfolio.web.site.pages.plan import STEPS
from tests.web.plain_site import app, client
from tests.web.priced_site import holder, newcomer, priced, priced_app, priced_build

__all__ = ["app", "client", "priced", "priced_app", "priced_build"]  # fixtures

skfolio = pytest.importorskip("skfolio")


def plan(client: FlaskClient, user: str, query: str = "") -> dict:
    response = client.get(f"/investors/{user}/plan?format=json&{query}")
    assert response.status_code == 200, response.text
    found: dict = response.get_json()
    return found


@pytest.mark.parametrize("split", ["minimum_variance", "risk_parity", "mean_variance"])
def test_targets_add_up_and_each_has_its_reason(priced: FlaskClient, priced_build: Build, split: str) -> None:
    found = plan(priced, holder(priced_build), f"split={split}")
    assert sum(line["target"] for line in found["lines"]) == pytest.approx(1, abs=1e-3)
    assert all(line["why"] for line in found["lines"])
    left = {node["id"] for node in found["left_out"]}
    for line in found["lines"]:
        if line["asset"]["id"] in left:
            assert line["target"] == pytest.approx(line["now"])


def test_equal_risk_moves_less_than_what_is_held_or_not_at_all(priced: FlaskClient, priced_build: Build) -> None:
    """Minimum variance has the least volatility of the three."""
    user = holder(priced_build)
    volatility = {}
    for split in ("minimum_variance", "risk_parity", "mean_variance"):
        rows = {row["name"]: row for row in plan(priced, user, f"split={split}")["figures"]}
        volatility[split] = rows["volatility"]["after"]
    assert volatility["minimum_variance"] == min(volatility.values())


def test_trades_lead_to_the_target(priced: FlaskClient, priced_build: Build) -> None:
    found = plan(priced, holder(priced_build), "step=manage")
    assert found["balance"]["then_day"] == "2025-06-30"
    assert 0 <= found["balance"]["by_prices"] <= 1
    for line in found["balanced"]:
        assert line["now"] + line["gap"] == pytest.approx(line["target"])
    gaps = [abs(line["gap"]) for line in found["balanced"]]
    assert gaps == sorted(gaps, reverse=True)
    assert found["balance"]["turnover"] == pytest.approx(sum(gaps) / 2)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_a_page_that_leads_on(priced: FlaskClient, priced_build: Build, lang: str, step: str) -> None:
    for user in (holder(priced_build), newcomer(priced_build)):
        page = priced.get(f"/investors/{user}/plan?step={step}&risk_level=Balanced&lang={lang}")
        assert page.status_code == 200
        assert page.text.count('aria-current="step"') == 1
        for other in STEPS:
            assert f"step={other}" in page.text
        assert "style=" not in page.text


def test_without_closes_nothing_is_planned(client: FlaskClient, build: Build) -> None:
    found = plan(client, holder(build), "step=construct")
    assert {line["target"] - line["now"] for line in found["lines"] if line["now"]} == {0.0}
    assert found["balance"]["turnover"] == pytest.approx(0)
    assert {row["after"] for row in found["figures"]} == {None}
