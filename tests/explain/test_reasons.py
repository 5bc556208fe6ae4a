"""Every sentence is true: golden texts of a hand-made market, and a checker over random ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from pathfolio.explain.checker.check import check_explanation, check_reason
from pathfolio.explain.checker.sentences import UnreadableTemplateError, sentences_of, sentences_of_template
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.early import EarlyBuyers
from pathfolio.explain.evidence import Fact, PathNode, stable_id
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.html import as_html
from pathfolio.explain.formats.svg import as_svg
from pathfolio.explain.formats.text import as_text, fact_line, text_width
from pathfolio.explain.picture import CARD_WIDTH
from pathfolio.explain.reasons.choose import MOST_CAUTIONS, MOST_REASONS, choose
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kinds import KIND_OF, KINDS
from pathfolio.explain.speech import speech_of
from pathfolio.explain.waterfall import waterfall
from pathfolio.explain.wording import LANGUAGES, wording_of
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import words
from pathfolio.kg.languages.names import Names
from pathfolio.kg.paths import PathFinder
from pathfolio.kg.schema import RELATION_KINDS, NodeKind, Relation
from pathfolio.recommender.account import HOLDS_OR_HELD, ChannelAccount, ScoreAccount, Walk
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from tests.explain.explain_world import BUILD, DAY, World, tables_of
from tests.kg.random_market import lively_market, random_account

GOLDEN = Path(__file__).with_name("golden")
MODELLED = ("modelled_calm", "modelled_swings", "modelled_apart", "modelled_along")


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def explanations(world: World) -> dict[str, Explanation]:
    explainer = Explainer(world.graph, BUILD)
    accounts = {"mediatek": world.mediatek(), "ase": world.ase(), "beta": world.beta(), "cathay": world.cathay()}
    return {name: explainer.explain(account, rank) for rank, (name, account) in enumerate(accounts.items(), 1)}


def golden(name: str, text: str) -> None:
    """Compare with the file; PATHFOLIO_GOLDEN=write writes it instead, to be looked at before it is committed."""
    path = GOLDEN / name
    if os.environ.get("PATHFOLIO_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_texts_are_as_they_were_approved(world: World, lang: str) -> None:
    texts = [as_text(explanation, lang) for explanation in explanations(world).values()]
    golden(f"explanations.{lang}.txt", "\n".join(texts))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_html_and_pictures_are_as_they_were_approved(world: World, lang: str) -> None:
    found = explanations(world)["beta"]
    golden(f"beta.{lang}.html", str(as_html(found, lang, picture=False)))
    golden(f"beta.{lang}.svg", str(as_svg(found, lang)))


def test_the_hand_made_market_passes_the_checker(world: World) -> None:
    for explanation in explanations(world).values():
        assert check_explanation(world.graph, explanation.to_json()) == []


def random_explanations(seed: int, count: int = 6) -> Iterator[tuple[KnowledgeGraph, Explanation]]:
    """Explanations that say all there is to say, not only what fits a page."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("MOST_REASONS", "MOST_CAUTIONS", "MOST_OF_A_TRIGGER"):
            patch.setattr(f"pathfolio.explain.reasons.choose.{limit}", 99)
        yield from list(_random_explanations(seed, count))


def _random_explanations(seed: int, count: int) -> Iterator[tuple[KnowledgeGraph, Explanation]]:
    graph, rng = lively_market(seed), np.random.default_rng(seed)
    explainer, finder = Explainer(graph, BUILD), PathFinder(graph)
    for _ in range(count):
        user, asset = int(rng.choice(graph.users)), int(rng.choice(graph.assets))
        if asset not in graph.outgoing(RELATION_KINDS[0]).of(user):
            yield graph, explainer.explain(random_account(finder, user, asset, seed), 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_every_sentence_about_a_random_market_is_true(seed: int) -> None:
    for graph, explanation in random_explanations(seed):
        assert check_explanation(graph, explanation.to_json()) == []


def early_market(early: int, late: int) -> tuple[KnowledgeGraph, Explanation]:
    """`early` others bought Young two days after its listing, `late` others Old; all of them hold New, just listed.

    The viewer holds Young, bought early, and gets an explanation of New.
    """
    users = [f"e{i}" for i in range(early)] + [f"l{i}" for i in range(late)] + ["viewer"]
    pairs = [(user, "Old" if user.startswith("l") else "Young", "2026-03-12") for user in users]
    pairs += [(user, "New", "2026-06-22") for user in users[:-1]]
    positions = pd.DataFrame(pairs, columns=["user_id", "asset_id", "as_of"]).assign(units=1.0)
    listed = {"Old": "2020-01-02", "Young": "2026-03-10", "New": "2026-06-20"}
    assets = pd.DataFrame({"asset_id": list(listed), "listed": list(listed.values())}).assign(kind="bond")
    assets["name"] = assets["asset_id"]
    everyone = pd.DataFrame({"user_id": users})
    graph = assemble_graph(tables_of(users=everyone, assets=assets, positions=positions), DAY)
    row, new = graph.row(NodeKind.USER, "viewer"), graph.asset_row("New")
    young, kind = graph.asset_row("Young"), graph.row(NodeKind.ASSET_CLASS, "Bond")
    walk = Walk((row, young, kind, new), (Relation.HOLDS, Relation.IN_CLASS, Relation.IN_CLASS), 0.1)
    channel = ChannelAccount("asset_class", 0.1, (walk,), 0.0)
    return graph, Explainer(graph, BUILD).explain(ScoreAccount(row, new, 0.4, (("new_issue", 0.3),), (channel,)), 1)


def test_a_new_issue_has_reasons() -> None:
    """The base's term for new issues weighs most here, so it is told first."""
    graph, found = early_market(12, 11)
    assert [reason.text for reason in found.reasons_in("en")] == [
        "This bond came to market on June 20, 2026, 10 days before the date of this recommendation.",
        "This bond is in the same asset class (Bond) as Young, which you hold.",
        "Like you, at least 12 other investors who hold or have held this bond have bought another asset within 45 "
        "days of its listing.",
    ]
    assert check_explanation(graph, found.to_json()) == []


@pytest.mark.parametrize(
    ("early", "late", "told"), [(12, 11, True), (10, 11, False), (12, 10, False), (12, 0, False), (9, 20, False)]
)
def test_early_buyers_are_no_small_group_nor_is_the_rest(early: int, late: int, told: bool) -> None:
    _, found = early_market(early, late)
    assert any(reason.trigger == "early_buyers" for reason in found.reasons) == told


@pytest.mark.parametrize(
    ("early", "late", "viewer", "told"),
    [
        (11, 11, "e0", 10),
        (10, 11, "e0", None),
        (10, 11, "viewer", None),  # who of those looks is not asked: all are told of eleven, or none
        (11, 11, "viewer", 11),
        (12, 11, "l0", 12),  # ten others are left out
        (12, 10, "l0", None),
    ],
)
def test_one_of_eleven_early_buyers_sees_ten_and_one_of_ten_sees_none(
    early: int, late: int, viewer: str, told: int | None
) -> None:
    graph, _ = early_market(early, late)
    seen = EarlyBuyers(Groups(Interactions(graph))).among_holders(
        graph.asset_row("New"), graph.row(NodeKind.USER, viewer)
    )
    assert seen == told


def nobody(world: World) -> Explanation:
    """Beta Fund for an investor who has nothing to go by."""
    return Explainer(world.graph, BUILD).explain(world.account("u2", "BF", {"profile": []}, rest=0.01), 1)


def test_where_no_path_speaks_the_holders_do(world: World) -> None:
    found = nobody(world)
    assert "At least 23 other investors hold or have held this fund." in [
        reason.text for reason in found.reasons_in("en")
    ]
    assert "至少另有 23 位投資人持有或曾持有這檔基金。" in [reason.text for reason in found.reasons_in("zh-TW")]
    assert check_explanation(world.graph, found.to_json()) == []


def test_every_kind_of_sentence_was_checked(world: World) -> None:
    approved = [*explanations(world).values(), early_market(12, 11)[1], nobody(world)]
    for seed in range(10):
        approved += [explanation for _, explanation in random_explanations(seed, count=14)]
    for lang in LANGUAGES:
        seen = {reason.trigger for explanation in approved for reason in explanation.reasons_in(lang)}
        others = {
            "interest",
            "began_with",
            "reordered",
            "momentum",
            "earlier_issue",
            *MODELLED,
        }  # of tests of their own
        assert KIND_OF.keys() - seen == others


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_family_has_its_sentences_and_every_sentence_its_family(lang: str) -> None:
    assert len(KIND_OF) == sum(len(kind.triggers) for kind in KINDS)
    helpers = {"this", "This", "held", "others", "most", "are"}
    assert sentences_of(lang).keys() - helpers == KIND_OF.keys()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_interest_is_one_of_the_assets_attributes(world: World, lang: str) -> None:
    beta = explanations(world)["beta"]
    view, path = Snapshot(world.graph, beta.to_json()), beta.paths[0]
    for label, is_right in (("Equity Taiwan", True), ("Equity Japan", False)):
        node = PathNode(label, "Category", Names.everywhere(label))
        claim = Claim("interest", {"kind": "Fund", "label": node}, (path.id,))
        assert (check_reason(view, speech_of(lang).reason(claim).to_json()) == []) == is_right


def test_a_template_that_cannot_be_read_back_is_refused() -> None:
    for body in ("{{ c.n }}", "{{ c.n | round | int }}", "{% for x in c.held %}a{% endfor %}", "{{ c.n + 1 }}"):
        with pytest.raises(UnreadableTemplateError, match="'widely_held' in en"):
            sentences_of_template("{% macro widely_held(c) %}" + body + "{% endmacro %}", wording_of("en"))


def test_a_choice_tells_what_the_test_was() -> None:
    text = (
        "{% macro a(c) %}{% if c.x == c.y %}all {{ c.y | int }}{% else %}{{ c.x | int }} of {{ c.y | int }}{% endif %}"
    )
    text += "{{ ' old' if c.was else ' new' if c.isnt else '' }}{% endmacro %}"
    sentence = sentences_of_template(text, wording_of("en"))["a"]
    assert sentence.read("all 3 old") == {"x": 3, "y": 3, "was": True}
    assert sentence.read("2 of 3 new") == {"x": 2, "y": 3, "was": False, "isnt": True}
    assert sentence.read("2 of 3") == {"x": 2, "y": 3, "was": False, "isnt": False}
    assert sentence.read("some of 3") is None


def test_a_value_that_is_said_twice_is_one() -> None:
    text = "{% macro a(c) %}{{ c.kind | kind }}, one of the {{ c.kind | plural }}{% endmacro %}"
    sentence = sentences_of_template(text, wording_of("en"))["a"]
    assert sentence.read("Fund, one of the funds") == {"kind": "Fund"}
    assert sentence.read("Fund, one of the stocks") is None


def test_a_familys_mistake_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that is made wrong is put into words as it is; the check computes it again."""
    monkeypatch.setattr("pathfolio.explain.facts.Peers.rank", lambda self, value: 2)
    problems = check_explanation(world.graph, explanations(world)["mediatek"].to_json())
    assert [sum(text in problem for problem in problems) for text in ("its rank is 1", "among the top 10%")] == [3, 3]
    assert len(LANGUAGES) == 3


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_checker_finds_a_changed_number_or_name(lang: str) -> None:
    changed = caught = 0
    for seed in range(8):
        for graph, explanation in random_explanations(seed, count=3):
            data = explanation.to_json(lang)
            for number, reason in enumerate(data["reasons"]):
                for text in spoiled(reason["text"]):
                    reasons = [*data["reasons"][:number], {**reason, "text": text}]
                    changed += 1
                    caught += check_explanation(graph, {**data, "reasons": reasons[-1:]}) != []
    assert changed > 500
    assert caught == changed


def spoiled(text: str) -> Iterator[str]:
    """The sentence with one digit raised, or with one letter of a name doubled."""
    for match in re.finditer(r"\d", text):
        digit = str((int(match.group()) + 1) % 10)
        yield text[: match.start()] + digit + text[match.end() :]
    for name in ("Which You Hold", "夥伴", "Industry", "Balanced", "Growth"):
        if name in text:
            yield text.replace(name, name + name[-1], 1)


def test_the_checker_finds_changed_paths(world: World) -> None:
    data = explanations(world)["mediatek"].to_json()
    path = next(p for p in data["paths"] if p["channel"] == "co_investment")
    for change in ({"count": 13}, {"contribution": 0.6}):
        paths = [{**path, **change}, *(p for p in data["paths"] if p is not path)]
        assert check_explanation(world.graph, {**data, "paths": paths, "reasons": []}) != []
    for field, value in (("as_of", "2026-01-01"), ("source", "hearsay"), ("weight", 0.5), ("tail", "2454")):
        edges = [{**path["edges"][0], field: value}, *path["edges"][1:]]
        paths = [{**path, "edges": edges}, *(p for p in data["paths"] if p is not path)]
        assert check_explanation(world.graph, {**data, "paths": paths, "reasons": []}) != []


def test_languages_say_the_same(world: World) -> None:
    for explanation in explanations(world).values():
        told = [[(r.trigger, r.evidence) for r in explanation.reasons_in(lang)] for lang in LANGUAGES]
        assert told == [told[0]] * len(LANGUAGES)


def test_no_id_is_read_by_a_person(world: World) -> None:
    for explanation in explanations(world).values():
        for lang in LANGUAGES:
            for reason in explanation.reasons_in(lang):
                assert not re.search(r"\b(2330|2454|3711|2303|AF|BF|u1)\b", reason.text)


def test_past_performance_is_said_to_be_past() -> None:
    for seed in range(8):
        for _, explanation in random_explanations(seed, count=4):
            for reason in explanation.reasons:
                if reason.trigger in ("performance", "loss"):
                    past = {"en": "Past performance does not", "zh-CN": "过往业绩不预示", "zh-TW": "過去績效不代表"}[
                        reason.lang
                    ]
                    assert past in reason.text


def test_claims_are_chosen_by_weight_and_cautions_come_last() -> None:
    def claim(trigger: str, weight: float, *, is_caution: bool = False) -> Claim:
        return Claim(trigger, {}, (stable_id("p", trigger, str(weight)),), weight=weight, is_caution=is_caution)

    claims = [claim("co_investment", w) for w in (0.1, 0.4, 0.3)] + [claim("look_through", 0.2)]
    cautions = [claim(f"caution{i}", 0.0, is_caution=True) for i in range(5)]
    chosen = choose([*cautions, *claims, *(claim(f"other{i}", 0.01) for i in range(9))])
    assert [c.weight for c in chosen[:3]] == [0.4, 0.3, 0.2]  # 0.1 is a third of its kind
    assert len(chosen) == MOST_REASONS
    assert [c.is_caution for c in chosen] == [False] * (MOST_REASONS - MOST_CAUTIONS) + [True] * MOST_CAUTIONS


def test_text_of_the_data_is_escaped_in_html_and_pictures() -> None:
    escaped = 0
    for seed in range(15):
        for _, explanation in random_explanations(seed, count=2):
            for page in (as_html(explanation), as_svg(explanation, "zh-TW")):
                assert "<b>Bold" not in page
                escaped += "&lt;b&gt;Bold" in page
    assert escaped > 0


def test_pictures_have_no_script_and_name_themselves(world: World) -> None:
    for explanation in explanations(world).values():
        picture = str(as_svg(explanation))
        assert "<script" not in picture
        assert f"Evidence paths from Ada Chen to {explanation.asset.name}" in picture


@pytest.mark.parametrize(
    "name",
    ["Sui An Taiwan Small & Mid Cap ETF", "WWWWWWWWWWWWWWWWWWWWWWWWWW", "恆禾台灣高股息低波動中小型指數型基金"],
)
def test_names_in_pictures_stay_in_their_cards(world: World, name: str) -> None:
    """Bold type of a wide face (DejaVu Sans) is 1.1 times its size for a W, and 1.0 times for a Chinese character."""
    explanation = next(iter(explanations(world).values()))
    asset = structs.replace(explanation.asset, names=Names.everywhere(name))
    nodes = {explanation.asset: asset}
    paths = tuple(structs.replace(p, nodes=tuple(nodes.get(node, node) for node in p.nodes)) for p in explanation.paths)
    picture = str(as_svg(replace(explanation, asset=asset, paths=paths)))
    lines = [unescape(text) for text in re.findall(r'<text class="name"[^>]*>([^<]*)</text>', picture)]
    shown = [line for line in lines if name.startswith(line.rstrip("…")) or line.rstrip("…") in name]
    assert 1 <= len(shown) <= 2
    assert all(13 * 1.1 * line.count("W") <= CARD_WIDTH - 13 for line in lines)
    assert all(13 * sum(ord(character) > 0x2E80 for character in line) <= CARD_WIDTH - 13 for line in lines)


def test_figures_have_one_minus_and_names_of_their_own() -> None:
    days = date(2026, 5, 29), date(2026, 6, 3)
    fact = Fact("f", "a", "return_1y", -0.0248, "fraction", *days, "sample price statistics")
    fund = structs.replace(fact, metric="aum", value=6065.49, unit="million")
    english, chinese = (wording_of(lang) for lang in ("en", "zh-TW"))
    assert fact_line(fact, english) == "one-year return: −2.48% (sample price statistics, 2026-05-29)"
    assert fact_line(fund, english).startswith("assets under management: 6,065.49 million (")
    assert fact_line(fund, chinese) == "資產規模：6,065.49 百萬（示範股價統計，2026-05-29）"


def test_bars_of_the_waterfall_meet(world: World) -> None:
    for explanation in explanations(world).values():
        fall = waterfall(explanation, wording_of("en"))
        assert sum(row.part.value for row in fall.rows) + fall.small_value == pytest.approx(explanation.score)
        for row in fall.rows:
            assert 0 <= row.start <= 100
            assert row.start + row.size <= 100.01


@pytest.mark.parametrize("lang", LANGUAGES)
def test_lines_fit_a_terminal(world: World, lang: str) -> None:
    for explanation in explanations(world).values():
        assert max(map(text_width, as_text(explanation, lang).splitlines())) <= 102


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_and_relation_has_a_word(lang: str) -> None:
    assert set(words(lang, "kinds")) == {kind.value for kind in NodeKind}
    assert set(words(lang, "relations")) == {relation.value for relation in RELATION_KINDS} | {HOLDS_OR_HELD}
