"""The questionnaire: what it may ask, answers understood or refused, lists that are relevant, command and page."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.assumption import WHAT_IF
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.what_if_list import WhatIfDesk
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import languages
from pathfolio.kg.sample.size import SampleSize
from pathfolio.kg.sample.truth import Truth, preferences
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.assumed import INTEREST_KINDS, INTEREST_WEIGHT, AssumedInvestor, AssumedScore
from pathfolio.recommender.build import Build
from pathfolio.recommender.questionnaire import QUESTIONS, answered, choices_of, read_profile
from pathfolio.recommender.ranking import id_order, top_lists
from pathfolio.recommender.score_inputs import LearnedParts, ScoreOptions
from pathfolio.recommender.scorer import Scorer, assemble_scorer
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from tests.explain.ledger_world import entry_of

# -- answers -------------------------------------------------------------------------------------------------


def test_what_can_be_asked_comes_from_the_snapshot(build: Build) -> None:
    graph = build.graph
    choices = choices_of(graph)
    assert list(choices.levels) == [name for name in QUESTIONS if name != "sustainability"]  # which nobody has told
    levels = {str(graph.nodes.id[row]) for row in choices.levels["risk_level"]}
    assert levels == {"Conservative", "Income", "Balanced", "Aggressive"}
    used = [len(graph.incoming(Relation.HAS_RISK).of(row)) for row in choices.levels["risk_level"]]
    assert used == sorted(used, reverse=True)
    assert {graph.kind_of(row) for row in choices.interests[NodeKind.CATEGORY]} == {NodeKind.CATEGORY}


def test_answers_become_an_investor(build: Build) -> None:
    graph = build.graph
    industry = str(graph.nodes.id[choices_of(graph).interests[NodeKind.INDUSTRY][0]])
    answers = [("risk_level", "balanced"), ("horizon", "2.5"), ("interest", industry), ("interest", industry)]
    found = answered(graph, answers)
    assert found.levels == {Relation.HAS_RISK: graph.row(NodeKind.RISK_LEVEL, "Balanced")}
    assert (found.years, found.interests) == (2.5, (graph.row(NodeKind.INDUSTRY, industry),))
    assert answered(graph, [("risk_level", ""), ("horizon", "")], found).levels == {}
    known = AssumedInvestor.of(build.scorer, 3)
    assert answered(graph, [], known) == known


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (("risk_level", "Bold"), "choose from Aggressive, Balanced, Conservative, Income"),
        (("horizon", "-1"), "no number of years"),
        (("horizon", "nan"), "no number of years"),
        (("interest", "Alchemy"), "check its name"),
        (("mood", "good"), "choose from risk_level"),
    ],
)
def test_answers_that_nobody_can_understand(build: Build, answer: tuple[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answered(build.graph, [answer])


@given(
    st.lists(
        st.tuples(st.sampled_from([*QUESTIONS, "interest"]), st.from_regex(r"[A-Z][a-z&, ]{0,12}[a-z]", fullmatch=True))
    )
)
def test_a_profile_is_read_as_it_was_written(answers: list[tuple[str, str]]) -> None:
    text = ",".join(f"{name}={value}" for name, value in answers)
    assert (read_profile(text) if answers else []) == answers


def test_a_profile_without_names() -> None:
    with pytest.raises(UsageError, match="NAME=VALUE"):
        read_profile("Balanced")


# -- relevance -----------------------------------------------------------------------------------------------


def without_positions(graph: KnowledgeGraph, users: np.ndarray) -> KnowledgeGraph:
    mine = np.isin(graph.edges.head, graph.users[users])
    return KnowledgeGraph(graph.nodes, graph.edges.take(~mine), graph.as_of, graph.name, graph.is_sample)


@pytest.fixture(scope="module")
def strangers(sample_build: Build) -> tuple[Scorer, Truth, np.ndarray, list[dict[Relation, int]]]:
    """A score that knows nothing of every other investor: neither positions nor answers; and their true answers."""
    build = sample_build
    graph = build.graph
    users = np.arange(0, len(graph.users), 2)
    unknown = without_positions(graph, users)
    options = ScoreOptions.from_json(build.manifest["score"])
    scorer = assemble_scorer(unknown, LearnedParts(build.vectors, build.attention), options)
    told = [AssumedInvestor.of(build.scorer, int(user)).levels for user in users]
    truth = preferences(7, SampleSize(investors=200, stocks=60, funds=12, bonds=4, years=2))
    return scorer, truth, users, [dict(levels) for levels in told]


def relevance(scorer: Scorer, truth: Truth, users: np.ndarray, lists: list[np.ndarray]) -> float:
    """The share of each list that is among the tenth of all assets that its investor truly likes best."""
    graph = scorer.graph
    row = np.searchsorted(truth.user_ids.astype(str), graph.nodes.id[graph.users[users]].astype(str))
    column = np.searchsorted(truth.asset_ids.astype(str), graph.nodes.id[graph.assets].astype(str))
    utility = truth.utility[np.ix_(row, column)]
    place = np.argsort(np.argsort(-utility, axis=1), axis=1)
    shares = [(place[n, found[found >= 0]] < place.shape[1] / 10).mean() for n, found in enumerate(lists)]
    return float(np.mean(shares))


def test_answers_give_more_relevant_lists_than_popularity(
    strangers: tuple[Scorer, Truth, np.ndarray, list[dict[Relation, int]]], sample_build: Build
) -> None:
    """Known truth: the two industries that each likes best are their interests; suitability bounds the list."""
    scorer, truth, users, told = strangers
    graph, by_id = scorer.graph, id_order(scorer.graph)
    gate = Adviser(sample_build, rules_for(graph)).gate
    everything = np.ones((1, len(graph.assets)), bool)
    popular = top_lists(scorer.interactions.holders[None], everything, by_id)[0]
    of_truth = np.searchsorted(truth.user_ids.astype(str), graph.nodes.id[graph.users[users]].astype(str))
    lists, bare = [], []
    for levels, at in zip(told, of_truth, strict=True):
        liked = [truth.industries[i] for i in np.argsort(-truth.taste[at])[:2]]
        nodes = [graph.find(NodeKind.INDUSTRY, name) for name in liked]
        stated = AssumedInvestor(levels=levels)
        asked = replace(stated, interests=tuple(node for node in nodes if node is not None))
        for investor, out in ((asked, lists), (stated, bare)):
            allowed = investor.eligible(graph, None)
            allowed[allowed] = investor.screened(gate, graph.assets[allowed]).allowed
            out.append(top_lists(AssumedScore(scorer, investor).scores()[None], allowed[None], by_id)[0])
    by_popularity = relevance(scorer, truth, users, [popular] * len(users))
    by_answers = relevance(scorer, truth, users, lists)
    assert by_answers > by_popularity + 0.05
    assert by_answers > relevance(scorer, truth, users, bare)


def test_a_name_of_several_kinds_stands_for_all_of_them(build: Build) -> None:
    """Who names Health Care means the sector and the funds of that category."""
    graph = build.graph
    names = {kind: {str(graph.nodes.id[row]) for row in graph.rows(kind)} for kind in INTEREST_KINDS}
    name = min(names[NodeKind.SECTOR] & names[NodeKind.CATEGORY])
    found = answered(graph, [("interest", name)]).interests
    assert [graph.kind_of(row) for row in found] == [NodeKind.SECTOR, NodeKind.CATEGORY]
    plain, asked = (AssumedScore(build.scorer, AssumedInvestor(interests=rows)).scores() for rows in ((), found))
    assert (asked - plain).max() <= INTEREST_WEIGHT + 1e-12  # once, whichever of the two an asset has


def test_two_interests_share_a_list(build: Build) -> None:
    """Of the first ten at least three have either: the larger interest does not fill the list."""
    graph = build.graph
    kinds = ((NodeKind.INDUSTRY, Relation.IN_INDUSTRY), (NodeKind.CATEGORY, Relation.IN_CATEGORY))
    nodes = [max(graph.rows(kind).tolist(), key=lambda row: len(graph.incoming(r).of(row))) for kind, r in kinds]
    scores = AssumedScore(build.scorer, AssumedInvestor(interests=tuple(nodes))).scores()
    best = set(graph.assets[np.argsort(-scores, kind="stable")[:10]].tolist())
    for node, (_, relation) in zip(nodes, kinds, strict=True):
        assert len(best & set(graph.incoming(relation).of(node).tolist())) >= 3


def test_an_interest_is_said_to_be_the_reason(build: Build) -> None:
    graph = build.graph
    gate = Adviser(build, rules_for(graph)).gate
    fund_type = max(
        graph.rows(NodeKind.CATEGORY).tolist(), key=lambda row: len(graph.incoming(Relation.IN_CATEGORY).of(row))
    )
    asked = answered(graph, [("risk_level", "Aggressive"), ("interest", str(graph.nodes.id[fund_type]))])
    found = WhatIfDesk(build, gate).answer(asked, None, 3, None, languages())
    for line in found.lines:
        triggers = {reason.trigger for reason in line.explanation.reasons}
        assert "interest" in triggers
        assert any("matches your interest" in reason.text for reason in line.explanation.reasons_in("en"))
        assert any("感興趣" in reason.text for reason in line.explanation.reasons_in("zh-TW"))
        assert any("感兴趣" in reason.text for reason in line.explanation.reasons_in("zh-CN"))


# -- command and page ----------------------------------------------------------------------------------------


def test_the_command_prints_a_list(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    profile = "risk_level=Aggressive,objective=Capital Growth,horizon=10"
    assert main(["recommend", str(build.folder), "--profile", profile, "-k", "4", "--format", "json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert [line["rank"] for line in lines] == [1, 2, 3, 4]
    assert [line["score"] for line in lines] == sorted((line["score"] for line in lines), reverse=True)
    opened = open_ledger(tmp_path / "ledger")
    header = opened.headers(kinds=[WHAT_IF])[0]
    assert [line["asset_id"] for line in entry_of(opened, header.id)["list"]] == [line["asset_id"] for line in lines]
    opened.close()
    assert main(["recommend", str(build.folder), "--profile", "risk_level=Bold"]) == 2
    assert "choose from Aggressive" in capsys.readouterr().err


@pytest.fixture
def client(build: Build, tmp_path: Path) -> FlaskClient:
    ledger = open_ledger(tmp_path / "ledger", environ={})
    app = create_app(build, desk=Desk(Adviser(build, rules_for(build.graph)), ledger))
    app.config["TESTING"] = True
    return app.test_client()


@pytest.mark.parametrize(
    ("lang", "asks"),
    [("en", "How long the money can stay invested"), ("zh-CN", "资金可以投资多久"), ("zh-TW", "資金可以投資多久")],
)
def test_the_page_asks_and_answers(client: FlaskClient, lang: str, asks: str) -> None:
    empty = client.get("/questionnaire", query_string={"lang": lang})
    assert empty.status_code == 200
    assert asks in unescape(empty.text)
    assert 'class="recommendation"' not in empty.text
    answers = {"risk_level": "Aggressive", "horizon": "10", "lang": lang}
    page = client.get("/questionnaire", query_string=answers)
    assert page.text.count('class="recommendation"') == 10
    assert '<option value="Aggressive" selected>' in page.text
    assert '<option value="10" selected>' in page.text
    assert client.get("/questionnaire", query_string={"risk_level": "Bold"}).status_code == 400


def test_program_and_page_give_the_same_list(client: FlaskClient) -> None:
    twin = client.get("/questionnaire", query_string={"risk_level": "Aggressive", "format": "json"}).get_json()
    found = client.post("/api/questionnaire", json={"profile": {"risk_level": "Aggressive"}}).get_json()
    assert [line["place"]["asset"]["id"] for line in twin["lines"]] == [line["asset_id"] for line in found["list"]]
