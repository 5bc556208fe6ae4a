"""Explanations account for their score, cite edges of the graph only, and refuse to be wrong about themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib import resources

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from msgspec import structs

from pathfolio.explain.errors import ExplanationError
from pathfolio.explain.evidence import ChannelPart, Path
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation, from_json
from pathfolio.explain.selection import diverse
from pathfolio.kg.errors import UsageError
from pathfolio.kg.languages import languages
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.account import OTHER_INVESTORS, ScoreAccount
from tests.explain.explain_world import BUILD, CO_INVESTORS, DAY, World


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def mediatek(world: World) -> Explanation:
    return Explainer(world.graph, BUILD).explain(world.mediatek(), 1)


def accounts(world: World) -> list[ScoreAccount]:
    return [world.mediatek(), world.ase(), world.beta(), world.cathay()]


def paths_of(explanation: Explanation, channel: str) -> tuple[Path, ...]:
    """The paths of one channel, the largest contribution first."""
    return tuple(path for path in explanation.paths if path.channel == channel)


def test_parts_add_up_to_the_score(world: World) -> None:
    explainer = Explainer(world.graph, BUILD)
    for account in accounts(world):
        found = explainer.explain(account)
        assert found.score == pytest.approx(
            sum(v for _, v in found.base)
            + sum(p.contribution for p in found.paths)
            + sum(c.remainder for c in found.channels),
            abs=1e-6,
        )


def test_json_follows_the_published_schema(world: World) -> None:
    schema = json.loads(
        resources.files("pathfolio.explain").joinpath("explanation.schema.json").read_text(encoding="utf-8")
    )
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    explainer = Explainer(world.graph, BUILD)
    for account in accounts(world):
        printed = json.loads(json.dumps(explainer.explain(account, 3).to_json()))
        assert list(validator.iter_errors(printed)) == []
        assert printed["rank"] == 3


def test_json_has_the_documented_keys(mediatek: Explanation) -> None:
    data = mediatek.to_json("en")
    documented = ["user_id", "asset_id", "kind", "as_of", "build", "rank", "score", "base", "channels", "paths"]
    assert list(data) == [*documented, "facts", "reasons"]
    assert list(data["paths"][0]) == ["id", "channel", "contribution", "nodes", "edges", "count"]
    assert list(data["paths"][0]["edges"][0]) == ["head", "relation", "tail", "weight", "source", "as_of", "known_at"]
    assert {reason["lang"] for reason in data["reasons"]} == {"en"}


def test_explanation_comes_back_from_its_json(mediatek: Explanation) -> None:
    printed = json.dumps(mediatek.to_json())
    assert json.dumps(from_json(json.loads(printed)).to_json()) == printed


def test_json_that_does_not_add_up_is_refused(mediatek: Explanation) -> None:
    data = mediatek.to_json()
    data["paths"][0]["contribution"] += 0.01
    with pytest.raises(ExplanationError, match="add up"):
        from_json(data)


def test_edges_stand_as_in_the_graph_whichever_way_the_path_walks(mediatek: Explanation) -> None:
    (look_through,) = paths_of(mediatek, "fund_holdings")
    first, second = look_through.edges
    assert (first.head, first.relation, first.tail, first.weight) == ("u1", "HOLDS", "AF", 0.2)
    assert (first.as_of, first.known_at, first.source) == (
        date(2026, 5, 31),
        date(2026, 6, 5),
        "Tiny market: positions",
    )
    assert (second.head, second.relation, second.tail, second.weight) == ("AF", "INVESTS_IN", "2454", 0.12)
    industry = paths_of(mediatek, "industry")[0]
    assert [(e.head, e.tail) for e in industry.edges[1:]] == [("2330", "Semiconductors"), ("2454", "Semiconductors")]
    assert [industry.walks_forward(step) for step in range(3)] == [True, True, False]


def test_other_investors_are_a_count_of_no_ones_date(mediatek: Explanation) -> None:
    (path,) = paths_of(mediatek, "co_investment")
    others = path.nodes[2]
    assert (others.id, others.kind, others.name, path.count) == (None, "User", "at least 12 other investors", 12)
    assert others.label("zh-TW") == "至少 12 位其他投資人"
    for edge in path.edges[1:]:
        assert (edge.head, edge.weight, edge.as_of, edge.known_at) == (None, None, DAY, DAY)


def test_what_is_learned_and_on_no_path_is_the_remainder(world: World) -> None:
    found = Explainer(world.graph, BUILD).explain(world.ase(), 1)
    assert found.channels[-1] == ChannelPart("gat", 0.4, remainder=0.4)
    assert paths_of(found, "gat") == ()
    assert found.share_on_paths == pytest.approx(0.2 / 0.6)


def test_path_ids_depend_on_channel_nodes_and_relations_alone(world: World, mediatek: Explanation) -> None:
    again = Explainer(world.graph, "other build").explain(world.mediatek(), 2)
    assert [path.id for path in again.paths] == [path.id for path in mediatek.paths]
    assert len({path.id for path in mediatek.paths}) == len(mediatek.paths)


def test_an_edge_that_the_graph_lacks_is_refused(world: World) -> None:
    walk = world.walk(("u1", "2882", "2454"), "HOLDS COMPETES_WITH", 0.1)
    with pytest.raises(ExplanationError, match="no COMPETES_WITH between 'Cathay Financial' and 'MediaTek'"):
        Explainer(world.graph, BUILD).explain(world.account("u1", "2454", {"business": [walk]}), 1)


def test_an_account_that_does_not_add_up_is_refused(world: World) -> None:
    account = replace(world.mediatek(), score=2.0)
    with pytest.raises(ExplanationError, match=r"score is 2\.0"):
        Explainer(world.graph, BUILD).explain(account, 1)


def test_another_investor_by_name_is_refused(world: World) -> None:
    walk = world.walk(("u1", "2330", "other1", "2454"), CO_INVESTORS, 0.1, 12)
    with pytest.raises(ExplanationError, match="shows an investor"):
        Explainer(world.graph, BUILD).explain(world.account("u1", "2454", {"co_investment": [walk]}), 1)


def test_a_walk_to_another_asset_is_refused(world: World) -> None:
    walk = world.walk(("u1", "AF", "2330"), "HOLDS INVESTS_IN", 0.1)
    with pytest.raises(ExplanationError, match="does not lead"):
        Explainer(world.graph, BUILD).explain(world.account("u1", "2454", {"fund_holdings": [walk]}), 1)


def test_broken_paths_and_small_groups_are_refused(mediatek: Explanation) -> None:
    def with_path(path: Path) -> Explanation:
        others = tuple(p for p in mediatek.paths if p.id != path.id)
        return replace(mediatek, paths=(path, *others))

    look_through, shown = paths_of(mediatek, "fund_holdings")[0], paths_of(mediatek, "co_investment")[0]
    with pytest.raises(ExplanationError, match="does not join"):
        with_path(structs.replace(look_through, edges=look_through.edges[::-1]))
    with pytest.raises(ExplanationError, match="does not lead"):
        with_path(structs.replace(look_through, nodes=look_through.nodes[:-1]))
    with pytest.raises(ExplanationError, match="fewer than 10"):
        with_path(structs.replace(shown, count=9))
    with pytest.raises(ExplanationError, match="no channel"):
        with_path(structs.replace(shown, channel="hearsay"))


def test_a_reason_without_evidence_is_refused(mediatek: Explanation) -> None:
    reason = mediatek.reasons[0]
    for evidence in ((), ("p000000000000",)):
        with pytest.raises(ExplanationError, match="evidence"):
            mediatek.with_reasons((replace(reason, evidence=evidence),), mediatek.facts)


def test_equal_walks_of_a_channel_become_one_path(world: World) -> None:
    walk = world.walk(("u1", "AF", "2454"), "HOLDS INVESTS_IN", 0.1)
    found = Explainer(world.graph, BUILD).explain(world.account("u1", "2454", {"fund_holdings": [walk, walk]}), 1)
    assert [path.contribution for path in found.paths] == [pytest.approx(0.2)]


def test_investors_without_a_name_are_shown_by_six_characters(world: World) -> None:
    walk = world.walk(("u2", "AF", OTHER_INVESTORS, "BF"), CO_INVESTORS, 0.1, 12)
    found = Explainer(world.graph, BUILD).explain(world.account("u2", "BF", {"co_investment": [walk]}), 1)
    assert (found.user.label("en"), found.user.label("zh-TW")) == ("Investor u2", "投資人 u2")


def test_an_unknown_language_is_a_wrong_call(world: World) -> None:
    with pytest.raises(UsageError, match=f"choose one of {', '.join(languages())}"):
        Explainer(world.graph, BUILD).explain(world.mediatek(), 1, langs=("de",))


def test_diverse_paths_do_not_repeat_one_shape(world: World) -> None:
    industry = world.row("Semiconductors", NodeKind.INDUSTRY)
    same = [
        world.walk(("u1", "2330", industry, "2454"), "HOLDS IN_INDUSTRY IN_INDUSTRY", 0.30),
        world.walk(("u1", "2303", industry, "2454"), "HELD IN_INDUSTRY IN_INDUSTRY", 0.29),
    ]
    other = [world.walk(("u1", "AF", "2454"), "HOLDS INVESTS_IN", 0.2)]
    account = world.account("u1", "2454", {"industry": same, "fund_holdings": other})
    found = Explainer(world.graph, BUILD).explain(account, 1)
    # 0.29 is of another shape than 0.30 here (HELD), so both come first; of one shape it would count 0.07 < 0.2.
    assert [p.contribution for p in diverse(found.paths, 3)] == [0.30, 0.29, 0.2]
