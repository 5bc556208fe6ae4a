"""Signals end to end: facts of the graph, checked sentences, the gate's risk class, and no part of the score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.checker.betas import check_betas
from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.figures import figure_column
from pathfolio.kg.graph import KnowledgeGraph, to_date
from pathfolio.kg.paths import PathFinder
from pathfolio.kg.sample.size import END
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position
from pathfolio.kg.tables import Tables
from pathfolio.recommender.build import Build, load_build
from pathfolio.recommender.signals.into import HISTORY, with_signals
from pathfolio.recommender.suitability.assets import asset_facts
from pathfolio.recommender.suitability.kinds.risk_class import risk_class_facts
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.cli import main
from tests.explain.modelled_world import built, signal_build, signal_tables
from tests.kg.random_market import random_account

__all__ = ["signal_build", "signal_tables"]  # fixtures

TRIGGERS = {"modelled_calm", "modelled_swings", "modelled_apart", "modelled_along"}


@pytest.fixture
def tables(signal_tables: Tables) -> Tables:
    return signal_tables


@pytest.fixture
def build(signal_build: Build) -> Build:
    return signal_build


def test_facts_have_model_record_and_peers(build: Build) -> None:
    graph = build.graph
    for name in ("volatility", "beta"):
        value = figure_column(graph, f"modelled_{name}")
        rank = figure_column(graph, f"modelled_{name}_rank")
        record = figure_column(graph, f"modelled_{name}_record")
        assert np.isfinite(value).sum() > 100
        assert np.nanmin(rank) == 1
        assert len(set(record[np.isfinite(record)])) == 1
    metric = graph.row(NodeKind.METRIC, "modelled_volatility")
    edges = graph.incoming(Relation.HAS_FACT).edges_of(metric)
    assert all(str(graph.edges.source[at]).startswith("ewma (") for at in edges)
    assert (graph.edges.known_at[edges] <= np.datetime64(END).astype(int)).all()


def test_the_build_keeps_what_was_told_and_what_came(build: Build) -> None:
    found = build.signals
    assert found is not None
    assert tuple(found.columns) == HISTORY
    assert build.signal_names == ("volatility", "beta")
    over = found[(found["signal"] == "volatility") & found["came"].notna() & found["low"].notna()]
    within = (over["low"] <= over["came"]) & (over["came"] <= over["high"])
    assert 0.6 < within.mean() < 0.95
    last = found["date"].max()
    assert found.loc[found["date"] == last, "came"].isna().all()


def test_a_refreshed_build_has_the_same_signals_of_its_day(build: Build, tables: Tables, tmp_path: Path) -> None:
    call = [
        "refresh",
        str(build.folder),
        str(tables.origin),
        "--as-of",
        END.isoformat(),
        "--out",
        str(tmp_path / "next"),
    ]
    assert main(call) == 0
    found = load_build(tmp_path / "next", verify=True)
    assert found.signal_names == build.signal_names
    assert found.signals is not None
    assert found.signals.equals(build.signals)
    assert found.graph.content_hash == build.graph.content_hash


def test_the_score_is_the_same_to_the_last_bit(build: Build, tables: Tables, tmp_path: Path) -> None:
    without = built(tables, tmp_path / "without", ())
    users = without.graph.user_span.position(without.graph.users[:20])
    assert without.signals is None
    assert "signals" not in without.manifest
    np.testing.assert_array_equal(build.scorer.scores(users), without.scorer.scores(users))


def test_every_sentence_is_checked_and_a_changed_one_is_found(build: Build) -> None:
    adviser = Adviser(build, load_rules("tw"))
    seen = set()
    for row in build.graph.users[:30].tolist():
        user = str(build.graph.nodes.id[row])
        for explanation in adviser.advise(Question("clerk", "site", user, 10)).explanations:
            told = [reason for reason in explanation.reasons if reason.trigger in TRIGGERS]
            if not told:
                continue
            seen |= {(reason.trigger, reason.lang) for reason in told}
            assert check_explanation(build.graph, explanation.to_json(), adviser.rules, build.prices) == []
            metrics = {fact.metric for fact in explanation.facts}
            assert any({name, f"{name}_record"} <= metrics for name in ("modelled_volatility", "modelled_beta"))
            for reason in told:
                data = explanation.to_json(reason.lang)
                text = reason.text.replace("63", "64")
                wrong = {**data, "reasons": [{**reason.to_json(), "text": text}]}
                assert check_explanation(build.graph, wrong, adviser.rules) != []
        if len(seen) == len(TRIGGERS) * len(LANGUAGES):
            break
    assert {trigger for trigger, _ in seen} == TRIGGERS
    assert {lang for _, lang in seen} == set(LANGUAGES)


@pytest.mark.parametrize("metric", ["modelled_volatility", "modelled_beta"])
def test_a_modelled_figure_follows_from_closes(build: Build, metric: str) -> None:
    adviser = Adviser(build, load_rules("tw"))
    prices = build.prices
    assert prices is not None
    for row in build.graph.users[:30].tolist():
        question = Question("clerk", "site", str(build.graph.nodes.id[row]), 10)
        for explanation in adviser.advise(question).explanations:
            told = [fact for fact in explanation.facts if fact.metric == metric]
            if told:
                steeper = prices["close"].where(prices["asset_id"] != told[0].asset_id, prices["close"] ** 1.1)
                other = prices.assign(close=steeper)
                found = check_explanation(build.graph, explanation.to_json(), adviser.rules, other)
                assert any(metric in problem for problem in found)
                return
    pytest.fail("no explanation cites it")


def test_betas_of_all_assets_are_computed_again(build: Build) -> None:
    prices, graph = build.prices, build.graph
    assert prices is not None
    metric = graph.row(NodeKind.METRIC, "modelled_beta")
    facts = [
        {
            "asset_id": str(graph.nodes.id[graph.edges.head[at]]),
            "metric": "modelled_beta",
            "value": float(graph.edges.value[at]),
            "as_of": str(to_date(graph.edges.as_of[at])),
            "source": str(graph.edges.source[at]),
        }
        for at in graph.incoming(Relation.HAS_FACT).edges_of(metric).tolist()
    ]
    assert len(facts) > 100
    assert check_betas(facts, prices) == []
    assert len(check_betas([{**fact, "value": fact["value"] + 0.01} for fact in facts], prices)) == len(facts)


def test_a_record_that_may_be_chance_is_not_told(tables: Tables) -> None:
    made, _ = with_signals(tables, ["volatility"], END)
    facts = made.facts.copy()
    facts.loc[facts["metric"] == "modelled_volatility_record_low", "value"] = -0.01
    assert triggers_of(assemble_graph(made, END)) & TRIGGERS
    assert not triggers_of(assemble_graph(replace(made, facts=facts), END)) & TRIGGERS


def triggers_of(graph: KnowledgeGraph) -> set[str]:
    """What is told of some assets, with accounts drawn by lot."""
    explainer, finder = Explainer(graph, "0" * 64), PathFinder(graph)
    user, assets = int(graph.users[0]), graph.rows(NodeKind.STOCK)[:40].tolist()
    found = [explainer.explain(random_account(finder, user, asset, 1), 1) for asset in assets]
    return {reason.trigger for explanation in found for reason in explanation.reasons}


def test_where_prices_are_too_few_a_model_gives_the_risk_class(tables: Tables) -> None:
    """Of a fund with 80 closes no weekly volatility is measured; its risk rating is taken away."""
    fund = str(tables.assets.loc[tables.assets["kind"] == "fund", "asset_id"].iloc[0])
    rows = tables.prices[tables.prices["asset_id"] == fund].sort_values("date")
    prices = pd.concat([tables.prices[tables.prices["asset_id"] != fund], rows.tail(80)])
    assets = tables.assets.assign(risk_rating=tables.assets["risk_rating"].mask(tables.assets["asset_id"] == fund))
    plain = replace(tables, prices=prices, assets=assets)
    made, _ = with_signals(plain, ["volatility"], END)
    rules = load_rules("tw")
    found = {}
    for name, each in (("plain", plain), ("modelled", made)):
        graph = assemble_graph(each, END)
        facts = asset_facts(graph, rules, prices)
        at = Position(int(np.flatnonzero(graph.asset_ids == fund)[0]))
        assert facts.risk_edge[at] < 0
        assert np.isnan(facts.volatility.value[at])
        found[name] = (facts.risk_class[at], [fact.tail for fact in risk_class_facts(facts, at)])
        if name == "modelled":
            assert facts.risk_most[at] >= facts.risk_class[at]
    assert "modelled_volatility" not in found["plain"][1]
    assert "modelled_volatility" in found["modelled"][1]


def test_signals_need_prices(tables: Tables) -> None:
    with pytest.raises(DataError, match="no prices in it"):
        with_signals(replace(tables, prices=tables.prices.iloc[:0]), ["volatility"], END)
