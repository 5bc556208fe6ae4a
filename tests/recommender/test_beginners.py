"""What beginners bought first: counted by hand, by the calendar, and told as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.reasons.others import began_with
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.span import Positions
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.beginners import first_choices
from pathfolio.recommender.build import Build
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.scorer import FIRST_CHOICES
from tests.explain.explain_world import BUILD, DAY, tables_of

Trade = tuple[str, str, int]
"""Investor, asset, days before `DAY`."""


def market(trades: list[Trade], listed: dict[str, int] | None = None, stated: Sequence[Trade] = ()) -> KnowledgeGraph:
    """A market of these purchases and positions, with an investor `new` who has bought nothing."""
    frames = []
    for rows, day in ((trades, "date"), (stated, "as_of")):
        frame = pd.DataFrame(rows, columns=["user_id", "asset_id", day]).assign(units=1.0)
        frames.append(frame.assign(**{day: [str(DAY - timedelta(days=age)) for age in frame[day]]}))
    assets = pd.DataFrame({"asset_id": sorted({row[1] for row in [*trades, *stated]})}).assign(kind="stock", name="A")
    days = {key: str(DAY - timedelta(days=age)) for key, age in (listed or {}).items()}
    assets["listed"] = assets["asset_id"].map(days)
    users = pd.DataFrame({"user_id": sorted({row[0] for row in [*trades, *stated]} | {"new"})})
    positions, transactions = frames[1], frames[0].assign(side="buy")
    tables = tables_of(users=users, assets=assets, positions=positions, transactions=transactions)
    return assemble_graph(tables, DAY)


def counts(graph: KnowledgeGraph) -> dict[str, int]:
    """Asset to how many began with it; those of none left out."""
    found = first_choices(Groups(Interactions(graph)))
    return {str(key): int(n) for key, n in zip(graph.asset_ids, found, strict=True) if n}


def people(name: str, number: int, asset: str, age: int) -> list[Trade]:
    return [(f"{name}{i}", asset, age) for i in range(number)]


def test_those_who_began_lately_with_few_assets_are_counted() -> None:
    old = [row for asset in "ABCD" for row in people(f"old {asset}", 40, asset, 400)]
    trades = [
        *old,
        *people("b", 12, "A", 60),
        *people("b", 12, "B", 60),  # two on the first day
        *people("b", 12, "C", 30),  # later
        *people("few", 10, "C", 60),
        *people("mover", 30, "A", 90),
        *people("mover", 30, "C", 90),
        *people("mover", 30, "D", 90),  # three
        *people("old A", 40, "D", 60),  # began before
    ]
    assert counts(market(trades)) == {"A": 12, "B": 12}


def test_a_first_statement_and_young_assets_say_nothing_of_beginners() -> None:
    stated = [*people("s", 30, "A", 100), *people("s", 30, "A", 10), *people("t", 20, "A", 10)]
    assert counts(market(people("o", 20, "A", 200), stated=stated)) == {"A": 20}
    trades = [
        *people("o", 20, "A", 400),
        *people("b", 15, "A", 50),
        *people("c", 15, "Y", 50),
        *people("d", 20, "Y", 90),
    ]
    assert counts(market(trades, listed={"Y": 100})) == {"A": 15}


def test_a_count_that_would_single_out_the_other_holders_is_not_told() -> None:
    """Of 26 holders 15 began with it lately, and eleven did not; of 20 told together five did not."""
    assert counts(market([*people("b", 15, "A", 50), *people("o", 11, "A", 400)])) == {"A": 15}
    movers = [row for asset in "ABC" for row in people("mover", 5, asset, 50)]
    assert counts(market([*people("b", 15, "A", 50), *movers])) == {}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 260), st.sampled_from("AAAB")), min_size=20, max_size=90), st.integers(0, 120))
def test_counts_are_those_of_whoever_counts_one_by_one(bought: list[tuple[int, str]], later: int) -> None:
    """On any two days; the calendar's intervals are told as a whole, so a group comes or goes with more than ten."""
    trades = [(f"u{i % 60}", asset, age) for i, (age, asset) in enumerate(bought)] + people("o", 40, "A", 900)
    whole = market(trades)
    for graph in (whole, whole.at(DAY - timedelta(days=later))):
        view = Snapshot(graph, {"user_id": "new", "asset_id": "A"})
        told = view.told(began_with(view).values(), after=to_days(graph.as_of) - 182)
        assert counts(graph).get("A", 0) == told
        assert told == 0 or told > 10


def test_only_who_has_no_positions_is_scored_by_it(small_build: Build) -> None:
    scorer = small_build.scorer.for_days(182)
    total = InvestorRows.of(scorer.interactions, Positions(np.arange(3)))
    none = InvestorRows(total.ever * 0, total.profile, total.row)
    none.ever.eliminate_zeros()
    assert not total.begins.any()
    assert none.begins.all()
    theirs = np.linspace(0, 1, len(scorer.graph.assets))  # the sample's investors have begun long ago
    vars(scorer)["first_choices"] = theirs
    more = scorer.sum_rows(none) - scorer.usual_rows(none)
    np.testing.assert_array_equal(scorer.sum_rows(total), scorer.usual_rows(total))
    np.testing.assert_allclose(more, np.tile(theirs, (3, 1)), atol=1e-12)
    best = int(scorer.first_choices.argmax())
    account = scorer.account_row(none, scorer.graph.asset_span.position(scorer.graph.assets[best]))
    assert dict(account.base)[FIRST_CHOICES] == scorer.first_choices[best]
    assert account.score == pytest.approx(scorer.sum_rows(none)[0, best], abs=1e-12)
    assert account.gap < 1e-9
    assert scorer.for_days(1).first_choices.max() == 0, "what somebody buys tomorrow is another question"


def test_beginners_are_told_what_others_began_with() -> None:
    graph = market([*people("b", 15, "A", 50), *people("o", 40, "A", 400)])
    account = ScoreAccount(graph.row(NodeKind.USER, "new"), graph.asset_row("A"), 0.3, ((FIRST_CHOICES, 0.3),), ())
    found = Explainer(graph, BUILD).explain(account, 1)
    told = "At least 15 investors who began in the last 182 days bought this stock first."
    assert told in [reason.text for reason in found.reasons_in("en")]
    assert check_explanation(graph, found.to_json()) == []
    data = found.to_json()
    for reason in data["reasons"]:
        reason["text"] = reason["text"].replace("15", "16")
    assert check_explanation(graph, data)
