"""The figures of a record follow from the closes that were sealed with its build."""

from __future__ import annotations

import pytest

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records import figures
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.serve import serve


def test_figures_of_a_record_are_held_against_its_builds_closes(
    adviser: Adviser, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = adviser.build
    user = str(build.graph.nodes.id[build.graph.users[2]])
    served = serve(adviser, ledger, Question("clerk", "site", user, 3))
    header = ledger.header(served.receipt.id)
    assert figures.wrong_figures(ledger, header) == []
    read = figures.pd.read_parquet

    def a_little_higher(*args: object, **more: object) -> object:
        closes = read(*args, **more)  # type: ignore[arg-type]
        return closes.assign(close=closes["close"] * closes["date"].dt.day_of_year)

    monkeypatch.setattr(figures.pd, "read_parquet", a_little_higher)
    assert figures.wrong_figures(ledger, header)


def test_an_explanation_is_checked_against_closes_where_they_are_given(adviser: Adviser) -> None:
    build = adviser.build
    user = str(build.graph.nodes.id[build.graph.users[2]])
    explained = adviser.advise(Question("clerk", "site", user, 1)).explanations[0].to_json()
    prices = build.prices
    assert prices is not None
    assert check_explanation(build.graph, explained, adviser.rules, prices) == []
    wrong = prices.assign(close=prices["close"] + 1.0)
    assert check_explanation(build.graph, explained, adviser.rules, wrong) != []
