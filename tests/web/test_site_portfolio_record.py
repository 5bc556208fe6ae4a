"""What the pages of a portfolio say is in the ledger: each figure a dated fact, computed again from the closes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from flask import Flask

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records import figures
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.portfolio_record import FORMULAS, PORTFOLIO, PortfolioEntry
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.site import create_app
from tests.web.priced_site import holder, newcomer, priced_build
from tests.web.site_pages import twin_of

__all__ = ["priced_build"]  # a fixture

PAGES = ("portfolio", "portfolio?split=risk_parity&budget=50", "portfolio?horizon=3", "plan", "plan?step=manage")


@pytest.fixture
def site(priced_build: Build, ledger: Ledger) -> Flask:
    return create_app(priced_build, desk=Desk(Adviser(priced_build, load_rules("tw")), ledger))


def entries(ledger: Ledger) -> list[PortfolioEntry]:
    """The oldest first."""
    headers = ledger.headers(kinds=[PORTFOLIO])[::-1]
    return [msgspec.json.decode(ledger.opened(ledger.leaf(each.id)), type=PortfolioEntry) for each in headers]


def test_each_figure_that_is_shown_is_a_fact_of_the_record(site: Flask, priced_build: Build, ledger: Ledger) -> None:
    user = holder(priced_build)
    for number, page in enumerate(PAGES):
        client = site.test_client()
        shown = twin_of(client, f"/investors/{user}/{page}")["figures"]
        assert len(entries(ledger)) == number + 1
        entry = entries(ledger)[-1]
        assert entry.page == page.partition("?")[0] and entry.user_id == user and entry.through == "api"
        assert ledger.header(entry.of_list).kind in ("recommendation", "what-if")
        for facts, name in ((entry.now, "before"), (entry.then, "after")):
            told = {fact.metric.removeprefix("portfolio_"): fact.value for fact in facts}
            assert told == {row["name"]: row[name] for row in shown if row[name] is not None}
            assert {fact.as_of for fact in facts} == {max(priced_build.prices["date"]).date()}
            assert all(FORMULAS[fact.metric.removeprefix("portfolio_")][1] in fact.source for fact in facts)
        assert sum(row.now for row in entry.weights) == pytest.approx(1)
        assert sum(row.then for row in entry.weights) == pytest.approx(1)
        assert [mix.group for mix in entry.mixes] == ["class", "currency", "industry", "issuer"]
        assert all(sum(part[2] for part in mix.parts) == pytest.approx(1, abs=1e-3) for mix in entry.mixes)


def test_so_are_those_of_the_charts(site: Flask, priced_build: Build, ledger: Ledger) -> None:
    shown = twin_of(site.test_client(), f"/investors/{holder(priced_build)}/charts")["picture"]
    (entry,) = entries(ledger)
    assert (entry.page, entry.split, entry.budget) == ("charts", "equal", 20)
    for facts, dot in ((entry.now, shown["now"]), (entry.then, shown["then"])):
        told = {fact.metric: fact.value for fact in facts}
        drawn = dot["annual_return"], dot["volatility"]
        assert (told["portfolio_annual_return"], told["portfolio_volatility"]) == drawn


def test_they_follow_from_the_closes_and_others_do_not(
    site: Flask, priced_build: Build, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = holder(priced_build)
    for page in PAGES:
        assert site.test_client().get(f"/investors/{user}/{page}").status_code == 200
    new = newcomer(priced_build)
    site.test_client().get(f"/investors/{new}/portfolio")
    found = figures.check_all_figures(ledger)
    assert found.findings == ()
    lists = len(ledger.headers(kinds=["recommendation", "what-if"]))
    assert found.checked + found.passed_over == lists + len(PAGES) + 1

    read = figures.pd.read_parquet
    held = entries(ledger)[0].weights[0].asset_id
    day = max(priced_build.prices["date"]) - timedelta(days=200)

    def one_rose_and_fell(*args: object, **more: object) -> object:
        closes = read(*args, **more)  # type: ignore[arg-type]
        there = (closes["asset_id"] == held) & (closes["date"] > day) & (closes["date"] < day + timedelta(days=9))
        return closes.assign(close=closes["close"].where(~there, closes["close"] * 1.3))

    monkeypatch.setattr(figures.pd, "read_parquet", one_rose_and_fell)
    wrong = {finding.record for finding in figures.check_all_figures(ledger).findings}
    assert {header.id for header in ledger.headers(kinds=[PORTFOLIO], person=user)} <= wrong

    monkeypatch.undo()
    custody.erase(ledger, user, who="clerk", reason="asked for it", despite_retention=True)
    after = figures.check_all_figures(ledger)
    assert after.findings == () and after.checked < found.checked


def test_a_figure_that_somebody_else_wrote_is_found(site: Flask, priced_build: Build, ledger: Ledger) -> None:
    """Each figure one by one, a weight, and what is not said to come from closes."""
    site.test_client().get(f"/investors/{holder(priced_build)}/portfolio?split=minimum_variance")
    header, entry = ledger.headers(kinds=[PORTFOLIO])[0], entries(ledger)[0]
    assert {fact.metric for fact in entry.then} == {f"portfolio_{name}" for name in FORMULAS}
    replace = msgspec.structs.replace
    others = [
        replace(entry, then=tuple(replace(f, value=f.value + 1e-4) if f is fact else f for f in entry.then))
        for fact in entry.then
    ]
    heavier = (replace(entry.weights[0], now=entry.weights[0].now + 0.2), *entry.weights[1:])
    others += [
        replace(entry, weights=heavier),
        replace(entry, now=tuple(replace(f, source="a bank") for f in entry.now)),
    ]
    for number, mix in enumerate(entry.mixes):
        name, now, then = mix.parts[0]
        for parts in (((name, now, then + 1e-4), *mix.parts[1:]), (("Nobody & Co", now, then), *mix.parts[1:])):
            mixes = [*entry.mixes]
            mixes[number] = replace(mix, parts=parts)
            others.append(replace(entry, mixes=tuple(mixes)))
    others.append(replace(entry, mixes=tuple(replace(mix, as_of=mix.as_of + timedelta(1)) for mix in entry.mixes)))
    for other in others:
        receipt = ledger.note(other, person=entry.user_id, tags=header.tags)
        assert figures.wrong_figures(ledger, ledger.header(receipt.id)), other
