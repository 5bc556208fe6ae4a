"""Lists in the order of score and risk: scores stay, the sentence says by what, the checker computes it again."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.replay import replay
from pathfolio.explain.records.serve import serve
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import UsageError
from pathfolio.kg.span import Positions
from pathfolio.recommender.build import Build
from pathfolio.recommender.portfolio.rerank import RiskOrder, half_year
from pathfolio.recommender.retrieve import asset_position
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.cli import main


@pytest.fixture(scope="module")
def advised(sample_build: Build) -> dict[str, Advice]:
    """The list of one investor by score, and in two orders."""
    adviser, user = Adviser(sample_build, load_rules("none")), str(sample_build.graph.user_ids[3])
    orders = ("", "mean-variance:0.5", "mean-variance:1")
    return {order: adviser.advise(Question("me", "Python", user, rerank=order)) for order in orders}


def volatility(build: Build, advice: Advice) -> float:
    closes = half_year(build.graph, build.prices)
    assert closes is not None
    at = Positions(np.array([asset_position(build.graph, line.asset_id) for line in advice.lines]))
    return closes.volatility(Positions(at[closes.known[at]]))[0]


def test_the_order_changes_and_no_score_does(sample_build: Build, advised: dict[str, Advice]) -> None:
    by_score, half, whole = advised.values()
    assert [line.rank for line in whole.lines] == list(range(1, 11))
    assert [line.asset_id for line in whole.lines] != [line.asset_id for line in by_score.lines]
    assert volatility(sample_build, whole) < volatility(sample_build, half) < volatility(sample_build, by_score)
    np.testing.assert_array_equal(whole.scores, by_score.scores)
    for line, explanation in zip(whole.lines, whole.explanations, strict=True):
        user = np.flatnonzero(sample_build.graph.user_ids == whole.question.user_id)
        own = sample_build.scorer.scores(Positions(user))[0, asset_position(sample_build.graph, line.asset_id)]
        assert line.score == own and explanation.score == pytest.approx(own, rel=1e-12)
        assert explanation.rank == line.rank


def test_each_line_says_by_what_and_the_checker_computes_it_again(
    sample_build: Build, advised: dict[str, Advice]
) -> None:
    for order, advice in advised.items():
        for explanation in advice.explanations:
            for lang in LANGUAGES:
                told = [reason for reason in explanation.reasons_in(lang) if reason.trigger == "reordered"]
                assert len(told) == bool(order)
            assert check_explanation(sample_build.graph, explanation.to_json(), prices=sample_build.prices) == []
    second = advised["mean-variance:0.5"].explanations[1]
    assert "rests by 50% on how little it varies" in second.reasons_in("en")[-1].text
    assert "in equal parts with 1 listed before it" in second.reasons_in("en")[-1].text


@pytest.mark.parametrize(
    ("metric", "key", "change"),
    [
        ("list_volatility", "value", lambda value: value * 1.1),
        ("list_volatility", "source", lambda text: text.replace('["', '["NOT', 1)),
        ("half_year_volatility", "value", lambda value: value + 0.01),
        ("order", "value", lambda text: "mean-variance:0.9"),
    ],
)
def test_a_figure_that_is_not_so_is_found(
    sample_build: Build, advised: dict[str, Advice], metric: str, key: str, change: object
) -> None:
    printed = copy.deepcopy(advised["mean-variance:0.5"].explanations[2].to_json())
    fact = next(fact for fact in printed["facts"] if fact["metric"] == metric)
    fact[key] = change(fact[key])  # type: ignore[operator]  # one of the lambdas
    assert check_explanation(sample_build.graph, printed, prices=sample_build.prices)


def test_the_record_says_what_was_asked_and_replays(sample_build: Build, ledger: Ledger) -> None:
    adviser, user = Adviser(sample_build, load_rules("none")), str(sample_build.graph.user_ids[3])
    served = serve(adviser, ledger, Question("me", "Python", user, rerank="mean-variance:0.5"))
    assert served.record.question.rerank == "mean-variance:0.5"
    assert replay(ledger, served.receipt.id, served.record, sample_build).same


def test_orders_that_make_no_sense_are_refused(sample_build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("variance", "mean-variance:2", "mean-variance:much", "mean-variance:nan"):
        with pytest.raises(UsageError, match="write mean-variance or mean-variance:WEIGHT, with a weight of 0 to 1"):
            RiskOrder.parse(text)
    with pytest.raises(UsageError, match="only the list of an investor"):
        Question("me", "Python", "u", asset_id="a", rerank="mean-variance:1")
    everybody = ["recommend", "nowhere", "--all", "--out", "lists.csv", "--rerank", "mean-variance"]
    assert main(everybody) == 2 and "--rerank goes with --user" in capsys.readouterr().err
