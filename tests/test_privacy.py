"""Other investors cannot be singled out: not by name, not by a small count, not by subtracting two pages."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.batch import Evidence
from explain.checker.check import check_explanation
from explain.evidence import SMALLEST_GROUP
from explain.explainer import Explainer
from explain.explanation import Explanation
from explain.formats.html import as_html
from explain.formats.svg import as_svg
from explain.formats.text import as_text
from explain.wording import LANGUAGES
from kg.assemble import assemble_graph
from kg.graph import KnowledgeGraph
from kg.paths import PathFinder
from kg.schema import NodeKind, Relation
from recommender.account import OTHER_INVESTORS, ChannelAccount, ScoreAccount, Walk
from recommender.channels.base import Investors
from recommender.channels.co_investment import CoInvestment
from recommender.interactions import Interactions
from tests.explain_world import BUILD, DAY, World, tables_of
from tests.random_market import ever_holders, lively_market, random_account

PROFILE = (Relation.HAS_RISK, Relation.SEEKS, Relation.HAS_CAPACITY, Relation.HAS_EXPERIENCE, Relation.IN_SEGMENT)


def every_form(explanation: Explanation) -> str:
    """All that can be read about an explanation, in one text."""
    forms = [json.dumps(explanation.to_json(), ensure_ascii=False)]
    for lang in LANGUAGES:
        forms += [as_text(explanation, lang), str(as_html(explanation, lang)), str(as_svg(explanation, lang))]
    return "\n".join(forms)


def test_no_form_names_another_investor() -> None:
    world = World()
    explainer = Explainer(world.graph, BUILD)
    for account in (world.mediatek(), world.ase(), world.beta(), world.cathay()):
        text = every_form(explainer.explain(account, 1))
        assert "Secret" not in text
        assert "other1" not in text


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_no_form_shows_a_small_group_or_another_investor(seed: int) -> None:
    graph = lively_market(seed)
    explainer, finder, rng = Explainer(graph, BUILD), PathFinder(graph), np.random.default_rng(seed)
    evidence = Evidence.of(graph)
    for user, asset in zip(rng.choice(graph.users, 4), rng.choice(graph.assets, 4), strict=True):
        account = random_account(finder, int(user), int(asset), seed)
        explanation = explainer.explain(account, 1)
        others = {str(graph.nodes.id[row]) for row in graph.users if row != user}
        for path in explanation.paths:
            assert not others & {str(node.id) for node in path.nodes if node.kind == "User"}
            assert path.count >= SMALLEST_GROUP or not path.through_others
        shown = {path.id: path.contribution for path in explanation.paths}
        rows = {row[3]: row[5] for row in evidence.rows(account, 1)}
        assert rows == pytest.approx(shown)


def test_dates_of_a_group_are_the_snapshots_own() -> None:
    world = World()
    explanation = Explainer(world.graph, BUILD).explain(world.mediatek(), 1)
    for path in explanation.paths:
        for start, edge, end in zip(path.nodes, path.edges, path.nodes[1:], strict=False):
            if None in (start.id, end.id):
                assert (edge.as_of, edge.known_at, edge.weight) == (DAY, DAY, None)


# -- subtraction ---------------------------------------------------------------------------------------------


def all_profile_counts(graph: KnowledgeGraph) -> dict[tuple[Relation, int], dict[int, int]]:
    """What an attacker reads who sees every page: (relation, asset) to level to the count shown there.

    Each investor's page about each asset that they do not hold has a walk through each of their levels.
    """
    explainer = Explainer(graph, BUILD)
    shown: dict[tuple[Relation, int], dict[int, int]] = defaultdict(dict)
    holds = graph.outgoing(Relation.HOLDS)
    for user in graph.users.tolist():
        for asset in set(graph.assets.tolist()) - set(holds.of(user).tolist()):
            for path in explainer.explain(profile_account(graph, user, asset), 1).paths:
                level = graph.row(NodeKind(path.nodes[1].kind), str(path.nodes[1].id))
                shown[Relation(path.edges[0].relation), asset][level] = path.count
    return shown


def profile_account(graph: KnowledgeGraph, user: int, asset: int) -> ScoreAccount:
    """A score made of the investor's levels alone, with the true counts."""
    walks = []
    holders = graph.incoming(Relation.HOLDS).of(asset)
    for relation in PROFILE:
        for level in graph.outgoing(relation).of(user).tolist():
            count = len(np.setdiff1d(np.intersect1d(holders, graph.incoming(relation).of(level)), [user]))
            if count:
                nodes = (user, level, OTHER_INVESTORS, asset)
                walks.append(Walk(nodes, (relation, relation, Relation.HOLDS), 0.1, count))
    value = 0.1 * len(walks)
    return ScoreAccount(user, asset, value, (), (ChannelAccount("profile", value, tuple(walks), 0.0),))


@pytest.mark.parametrize("seed", range(4))
def test_levels_cannot_be_subtracted_from_all_holders(seed: int) -> None:
    """Whoever knows how many hold an asset and sees all pages finds no group of 1 to 9 in what is left out."""
    graph = lively_market(seed, users=150, assets=18)
    suppressed = 0
    for (_, asset), counts in all_profile_counts(graph).items():
        total = len(graph.incoming(Relation.HOLDS).of(asset))
        left_out = total - sum(counts.values())
        assert left_out == 0 or left_out >= SMALLEST_GROUP
        suppressed += left_out > 0
    assert suppressed > 0


def test_the_one_aggressive_holder_is_not_found() -> None:
    """30 Balanced and 1 Aggressive investor hold Z; everyone who holds Z holds Y too, and the viewer holds Y.

    The page says that 31 others hold Y and Z. Did it also say that 30 Balanced ones hold Z, the Aggressive one would
    be known to hold it.
    """
    users = pd.DataFrame({"user_id": [f"x{i}" for i in range(31)] + ["viewer"]})
    users["risk_level"] = ["Balanced"] * 30 + ["Aggressive", "Balanced"]
    pairs = [(f"x{i}", asset) for i in range(31) for asset in ("Y", "Z")] + [("viewer", "Y")]
    positions = pd.DataFrame(pairs, columns=["user_id", "asset_id"]).assign(as_of="2026-06-01", units=1.0)
    assets = pd.DataFrame({"asset_id": ["Y", "Z"], "kind": "stock", "name": ["Why", "Zed"]})
    graph = assemble_graph(tables_of(users=users, assets=assets, positions=positions), DAY)
    viewer, zed = graph.row(NodeKind.USER, "viewer"), graph.asset_row("Z")
    balanced, why = graph.row(NodeKind.RISK_LEVEL, "Balanced"), graph.asset_row("Y")
    co_investment = Walk((viewer, why, OTHER_INVESTORS, zed), (Relation.HOLDS,) * 3, 0.5, 31)
    profile = Walk(
        (viewer, balanced, OTHER_INVESTORS, zed), (Relation.HAS_RISK, Relation.HAS_RISK, Relation.HOLDS), 0.1, 30
    )
    channels = (
        ChannelAccount("co_investment", 0.5, (co_investment,), 0.0),
        ChannelAccount("profile", 0.1, (profile,), 0.0),
    )
    found = Explainer(graph, BUILD).explain(ScoreAccount(viewer, zed, 0.6, (), channels), 1)
    assert [path.count for path in found.paths] == [31]
    assert found.channels[1].withheld == pytest.approx(0.1)
    assert "30" not in as_text(found).replace("2026-06-30", "").replace("June 30", "")


def ever_account(graph: KnowledgeGraph, user: int, asset: int) -> ScoreAccount:
    """The part of a score that co-investment adds, as the served channel counts it, whatever its weights."""
    ever = Interactions(graph).ever
    channel = CoInvestment(
        graph, Interactions(graph).held, np.ones((ever.shape[1],) * 2, np.float32), np.ones(ever.shape[1])
    )
    own, first = Investors.of(Interactions(graph), np.array([user - int(graph.users[0])])), int(graph.assets[0])
    parts = channel.account(own, asset - first)
    return ScoreAccount(user, asset, sum(part.value for part in parts), (), parts)


@pytest.mark.parametrize(
    ("now", "before", "shown"), [(12, 3, ("HOLDS", 12)), (8, 4, ("HOLDS|HELD", 12)), (9, 6, None), (4, 3, None)]
)
def test_few_who_hold_both_are_counted_with_those_who_held_both(
    now: int, before: int, shown: tuple[str, int] | None
) -> None:
    """`now` others hold Y and Z, `before` held both; a group of 9 is counted in neither way (see `GroupGuard`)."""
    graph = both_market(now, before)
    viewer, zed = graph.row(NodeKind.USER, "viewer"), graph.asset_row("Z")
    found = Explainer(graph, BUILD).explain(ever_account(graph, viewer, zed), 1)
    assert [(path.relations[1], path.count) for path in found.paths] == ([] if shown is None else [shown])
    if shown is not None:
        verb = "hold or have held" if "HELD" in shown[0] else "hold"
        assert [r.text for r in found.reasons_in("en")] == [
            f"12 other investors {verb} both Why, which you hold, and this stock."
        ]
        assert check_explanation(graph, found.to_json()) == []


def both_market(now: int, before: int) -> KnowledgeGraph:
    """`now` investors hold Y and Z, `before` held both until May; the viewer holds Y."""
    users = [f"now{i}" for i in range(now)] + [f"before{i}" for i in range(before)]
    pairs = [(user, asset, "2026-04-01", 1.0) for user in users for asset in ("Y", "Z")] + [
        ("viewer", "Y", "2026-04-01", 1.0)
    ]
    pairs += [(user, asset, "2026-05-01", 0.0) for user in users if user.startswith("before") for asset in ("Y", "Z")]
    positions = pd.DataFrame(pairs, columns=["user_id", "asset_id", "as_of", "units"])
    assets = pd.DataFrame({"asset_id": ["Y", "Z"], "kind": "stock", "name": ["Why", "Zed"]})
    everyone = pd.DataFrame({"user_id": [*users, "viewer"]})
    return assemble_graph(tables_of(users=everyone, assets=assets, positions=positions), DAY)


@pytest.mark.parametrize("seed", range(3))
def test_no_pair_is_counted_both_now_and_ever(seed: int) -> None:
    """Whoever sees every page finds each pair of assets counted in one way only, each viewer left out of the count.

    Else the two counts of one pair could be subtracted, and a few who sold would be found.
    """
    graph = lively_market(seed, users=50, assets=16)
    explainer = Explainer(graph, BUILD)
    seen: dict[tuple[str, int], set[str]] = defaultdict(set)
    for user in graph.users.tolist():
        for asset in graph.assets.tolist():
            for path in explainer.explain(ever_account(graph, user, asset), 1, langs=()).paths:
                held, relation = graph.asset_row(str(path.nodes[1].id)), path.relations[1]
                either = ever_holders if "HELD" in relation else now_holders
                assert path.count == len(either(graph, held) & either(graph, asset) - {user}) >= SMALLEST_GROUP
                seen[str(path.nodes[1].id), asset].add(relation)
    assert {relation for relations in seen.values() for relation in relations} == {"HOLDS", "HOLDS|HELD"}
    assert all(len(relations) == 1 for relations in seen.values())


@pytest.mark.parametrize("seed", range(3))
def test_co_investors_cannot_be_subtracted_from_all_holders(seed: int) -> None:
    """Whoever knows how many hold an asset (its page says so) and sees all pages finds no group of 1 to 9 other
    investors who hold one of two assets and not the other, nor among those who hold or held them."""
    graph = lively_market(seed, users=60, assets=16)
    explainer = Explainer(graph, BUILD)
    left_out = 0
    for user in graph.users.tolist():
        for asset in graph.assets.tolist():
            account = ever_account(graph, user, asset)
            paths = explainer.explain(account, 1, langs=()).paths
            for path in paths:
                either = ever_holders if "HELD" in path.relations[1] else now_holders
                for margin in (graph.asset_row(str(path.nodes[1].id)), asset):
                    rest = len(either(graph, margin) - {user}) - path.count
                    assert rest == 0 or rest >= SMALLEST_GROUP
            left_out += sum(walk.count >= SMALLEST_GROUP for walk in account.channels[0].walks) - len(
                [path for path in paths if path.relations[1] == "HOLDS"]
            )
    assert left_out > 0


def now_holders(graph: KnowledgeGraph, asset: int) -> set[int]:
    """Rows of the investors who hold the asset."""
    return set(graph.incoming(Relation.HOLDS).of(asset).tolist())


def test_two_viewers_differ_by_themselves_alone() -> None:
    """What two pages say about one group differs only by whether the viewers belong to it, which each knows."""
    graph = lively_market(3, users=120, assets=12)
    finder = PathFinder(graph)
    holds = graph.incoming(Relation.HOLDS)
    compared = 0
    users = graph.users[:40]
    for asset in graph.assets.tolist():
        table = finder.find(users, np.full(len(users), asset))
        for number, user in enumerate(users.tolist()):
            for path in table.of(number):
                if str(path.metapath) == "HOLDS ^HOLDS HOLDS":
                    group = np.intersect1d(holds.of(path.nodes[1]), holds.of(asset))
                    assert path.count == len(group) - int(user in group)
                    compared += 1
    assert compared > 100
