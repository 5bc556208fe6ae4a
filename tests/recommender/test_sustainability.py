"""ESG ratings and sustainability preferences: from two columns to the score, the reasons, the questions and a rule."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pathfolio.embeddings.train import train_vectors
from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.languages.names import Names
from pathfolio.kg.progress import Progress
from pathfolio.kg.sample import write_sample_market
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.build import Build, BuildOptions, load_build, write_build
from pathfolio.recommender.gat.attention import train_attention
from pathfolio.recommender.questionnaire import answered, choices_of
from pathfolio.recommender.score_inputs import LearnedParts
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.recommender.suitability.verdict import RuleResult
from pathfolio.web.sources import from_folder
from tests.web.site_world import ATTENTION, SIZE, VECTORS

DAY = date(2026, 6, 30)
RATINGS = ("AAA", "AA", "BBB", "CCC", "")
PREFERENCES = ("High", "Some", "None", "")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample market with a rating for four assets of five, and a preference for three investors of four."""
    folder = tmp_path_factory.mktemp("esg")
    write_sample_market(folder / "market", seed=3, size=SIZE)
    for table, column, words in (("assets", "esg_rating", RATINGS), ("users", "sustainability", PREFERENCES)):
        rows = pd.read_csv(folder / "market" / f"{table}.csv", dtype=str, keep_default_na=False)
        rows[column] = [words[at % len(words)] for at in rows.iloc[:, 0].factorize()[0]]  # of several rows all alike
        rows.to_csv(folder / "market" / f"{table}.csv", index=False)
    silent = Progress(None)
    source = from_folder(folder / "market", DAY, silent)
    learned = LearnedParts(
        train_vectors(source.graph, VECTORS, silent), train_attention(source.graph, ATTENTION, silent)
    )
    write_build(source.graph, learned, folder / "build", BuildOptions(), silent, source.beside())
    return load_build(folder / "build")


@pytest.fixture(scope="module")
def explanations(build: Build) -> list[Explanation]:
    """Of every asset for the first investors who have positions."""
    explainer = Explainer(build.graph, build.build_hash)
    return [
        explainer.explain(build.scorer.account(Position(user), Position(asset)), 1)
        for user in range(6)
        for asset in range(40)
    ]


def test_the_columns_become_nodes_and_relations(build: Build) -> None:
    graph = build.graph
    assert {str(graph.nodes.id[row]) for row in graph.rows(NodeKind.ESG_RATING)} == {*RATINGS} - {""}
    assert {str(graph.nodes.id[row]) for row in graph.rows(NodeKind.SUSTAINABILITY)} == {*PREFERENCES} - {""}
    assert graph.counts()["edges"]["HAS_ESG_RATING"] == sum(RATINGS[at % 5] != "" for at in range(len(graph.assets)))
    assert graph.counts()["edges"]["PREFERS"] == sum(PREFERENCES[at % 4] != "" for at in range(len(graph.users)))


def test_a_shared_rating_is_a_part_of_the_score_with_a_sentence_that_is_true(
    build: Build, explanations: list[Explanation]
) -> None:
    shared = [each for each in explanations for part in each.channels if part.name == "esg_rating" and part.value > 0]
    assert len(shared) > 20
    told = {reason.lang: reason.text for each in shared for reason in each.reasons if "ESG" in reason.text}
    assert set(told) == set(LANGUAGES)
    for each in shared:
        assert check_explanation(build.graph, each.to_json()) == []


def test_the_preference_is_asked_and_answered(build: Build) -> None:
    assert "sustainability" in choices_of(build.graph).levels
    found = answered(build.graph, [("sustainability", "high")])
    assert found.levels == {Relation.PREFERS: build.graph.row(NodeKind.SUSTAINABILITY, "High")}


def finding(build: Build, preference: str, rating: str) -> RuleResult:
    """What the rule finds of the first asset of this rating for the first investor of this preference."""
    gate = Gate.over(build.graph, load_rules("eu"), None)
    user = next(at for at in range(len(build.graph.users)) if PREFERENCES[at % 4] == preference)
    ratings = pd.Series([RATINGS[at % 5] for at in range(len(build.graph.assets))])
    ids = pd.read_csv(build.folder.parent / "market" / "assets.csv", dtype=str)["asset_id"]
    asset = build.graph.asset_row(str(ids[ratings == rating].iloc[0]))
    ids = pd.read_csv(build.folder.parent / "market" / "users.csv", dtype=str)["user_id"].unique()
    screening = gate.screen(build.graph.row(NodeKind.USER, str(ids[user])), build.graph.assets)
    verdict = screening.verdict(build.graph.asset_span.position(asset))
    return next(each for each in verdict.results if each.kind == "sustainability")


@pytest.mark.parametrize(
    ("preference", "rating", "reason", "effect"),
    [
        ("High", "AA", "within_level", "pass"),
        ("High", "BBB", "above_level", "reject"),
        ("Some", "BBB", "within_level", "pass"),
        ("Some", "CCC", "above_level", "reject"),
        ("None", "CCC", "within_level", "pass"),
        ("None", "", "not_needed", "pass"),
        ("High", "", "no_class", "warn"),
        ("", "AAA", "within_every_level", "pass"),
        ("", "CCC", "no_level", "warn"),
    ],
)
def test_the_rule(build: Build, preference: str, rating: str, reason: str, effect: str) -> None:
    found = finding(build, preference, rating)
    assert (found.reason, found.effect.name.lower()) == (reason, effect)
    stated = {fact.tail for fact in found.facts}
    assert stated == {preference, rating} - {""} if reason != "no_level" else stated == {rating}


def test_where_nobody_was_asked_nobody_is_kept_from_anything(small_build: Build) -> None:
    gate = Gate.over(small_build.graph, load_rules("eu"), None)
    assert "sustainability" in gate.untold
    screening = gate.screen(small_build.graph.user_span.row(Position(0)), small_build.graph.assets)
    found = [each for each in screening.verdict(Position(0)).results if each.kind == "sustainability"]
    assert [each.effect.name.lower() for each in found] == ["pass"]


def test_its_rule_has_a_title_and_a_basis_in_every_language() -> None:
    rule = next(each for each in load_rules("eu").rules if each.kind == "sustainability")
    assert isinstance(rule.title, Names) and rule.basis is not None
    for names in (rule.title, rule.basis):
        assert len({names[lang] for lang in LANGUAGES}) == len(LANGUAGES)
