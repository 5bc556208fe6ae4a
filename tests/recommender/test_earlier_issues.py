"""Earlier issues: who has what buyers of earlier ones have is told of the next, path by path, and no other's secret."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.span import Position, Positions
from pathfolio.kg.tables import COLUMNS, Tables, typed_table
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.earlier_issues import EARLIER_ISSUES, EarlierIssues
from pathfolio.recommender.demand import measure_demand
from pathfolio.recommender.ease import ease_weights
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.new_issues import NewIssues
from pathfolio.recommender.score_inputs import ScoreOptions

DAY = date(2026, 6, 30)
BUYERS = [f"b{number:02d}" for number in range(30)]
OTHERS = [f"o{number:02d}" for number in range(30)]


def market() -> KnowledgeGraph:
    """Bonds e1 and e2 were subscribed by those who hold `old`; the others hold `dull`. Yesterday `new` was listed, and
    a share that is new as well. `ann` holds `old`, `bob` holds `dull`."""
    listed = {"old": 4000, "dull": 4000, "e1": 300, "e2": 200, "new": 1, "share": 1}
    assets = pd.DataFrame({"asset_id": list(listed), "kind": "bond", "name": "B"})
    assets.loc[assets["asset_id"] == "share", "kind"] = "stock"
    assets["listed"] = [str(DAY - timedelta(days=age)) for age in listed.values()]
    held = [*((user, "old") for user in [*BUYERS, "ann"]), *((user, "dull") for user in [*OTHERS, "bob"])]
    positions = pd.DataFrame(held, columns=["user_id", "asset_id"]).assign(as_of=str(DAY - timedelta(days=500)))
    bought = [(user, issue, str(DAY - timedelta(days=listed[issue] - 2))) for issue in ("e1", "e2") for user in BUYERS]
    bought += [(user, "e1", str(DAY - timedelta(days=298))) for user in OTHERS[:2]]
    trades = pd.DataFrame(bought, columns=["user_id", "asset_id", "date"]).assign(side="buy", units=1.0)
    given = {"assets": assets, "positions": positions, "transactions": trades}
    tables = {name: typed_table(name, given.get(name, pd.DataFrame())) for name in COLUMNS}
    return assemble_graph(Tables(**tables, name="Tiny"), DAY)


@pytest.fixture(scope="module")
def channel() -> EarlierIssues:
    groups = Groups(Interactions(market()))
    options = ScoreOptions()
    demand = measure_demand(groups, replace(options.demand, horizon=1.0))
    issues = NewIssues(groups, options.demand.fade_days)
    drew = issues.is_earlier & (issues.drawn > 0)
    return EarlierIssues(groups.interactions.graph, groups, ease_weights(groups, 5.0), 6.0 * demand.issue, drew)


def rows_of(channel: EarlierIssues, user: str) -> InvestorRows:
    span = channel.graph.user_span
    at = span.position(channel.graph.row(NodeKind.USER, user))
    return InvestorRows.of(channel.groups.interactions, Positions(np.array([at])))


def at(channel: EarlierIssues, asset: str) -> Position:
    return channel.graph.asset_span.position(channel.graph.asset_row(asset))


def test_who_has_what_their_buyers_have_is_told_of_the_next(channel: EarlierIssues) -> None:
    assert [str(channel.graph.asset_ids[at]) for at in np.flatnonzero(channel.drew)] == ["e1", "e2"]
    ann, bob = (channel.scores(rows_of(channel, user))[0] for user in ("ann", "bob"))
    new = at(channel, "new")
    assert ann[new] > 0.1 > bob[new]
    assert not np.delete(ann, new).any(), "only a new issue of a class that had issues"


@pytest.mark.parametrize("user", ["ann", "bob", BUYERS[0]])
def test_every_part_lies_on_a_path(channel: EarlierIssues, user: str) -> None:
    investor, new = rows_of(channel, user), at(channel, "new")
    found = channel.account(investor, new)
    value = channel.scores(investor)[0, new]
    assert sum(each.value for each in found) == pytest.approx(value, abs=1e-12)
    assert all(each.remainder == 0 for each in found)
    assert bool(found) == bool(channel.reached(investor)[0, new])


def explained(channel: EarlierIssues) -> tuple[KnowledgeGraph, dict[str, object], dict[str, str]]:
    graph, new = channel.graph, at(channel, "new")
    (part,) = channel.account(rows_of(channel, "ann"), new)
    account = ScoreAccount(graph.row(NodeKind.USER, "ann"), graph.asset_row("new"), part.value, (), (part,))
    found = Explainer(graph, "").explain(account, 1)
    told = {reason.lang: reason.text for reason in found.reasons if reason.trigger == "earlier_issue"}
    return graph, found.to_json(), told


def test_it_is_told_and_checked(channel: EarlierIssues) -> None:
    graph, data, told = explained(channel)
    assert set(told) == set(LANGUAGES)
    assert "At least 20 other investors hold or have held both B" in told["en"]
    assert "an earlier new issue of the same class (Bond)" in told["en"]
    assert check_explanation(graph, data) == []


@pytest.mark.parametrize(("before", "after"), [("At least 20 ", "At least 31 "), ("class (Bond)", "class (Stock)")])
def test_a_false_sentence_is_found(channel: EarlierIssues, before: str, after: str) -> None:
    graph, data, _ = explained(channel)
    for reason in data["reasons"]:  # type: ignore[attr-defined] # JSON
        reason["text"] = reason["text"].replace(before, after)
    assert check_explanation(graph, data)


def test_an_issue_of_whose_buyers_nothing_is_told_says_nothing(channel: EarlierIssues) -> None:
    """Two others bought e1 as well: not told, so what they hold has no part in it."""
    dull = channel.graph.asset_span.position(channel.graph.asset_row("dull"))
    assert not channel.kernel()[dull].any()


def test_builds_of_before_are_without_it(small_build: Build) -> None:
    values = asdict(ScoreOptions())
    del values["earlier_issues"]
    scorer = small_build.scorer
    old = replace(scorer, options=ScoreOptions.from_json(values)).refresh(scorer.graph)
    assert old.find(EarlierIssues) is None and EARLIER_ISSUES not in old.part_names
    assert scorer.find(EarlierIssues) is not None
