"""The figures of a record follow from the closes that were sealed with its build."""

from __future__ import annotations

from pathlib import Path

import pytest

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records import figures
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.layout import parse_record
from pathfolio.explain.records.layout.shown import CitedFact
from pathfolio.explain.records.serve import serve
from pathfolio.web.cli import main


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


def test_figures_of_a_whole_ledger_and_which_record_has_wrong_ones(
    adviser: Adviser, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    graph = adviser.build.graph
    users = [str(graph.nodes.id[row]) for row in graph.users[:3]]
    told = [serve(adviser, ledger, Question("clerk", "site", user, 3)).receipt.id for user in users]
    serve(adviser, ledger, Question("clerk", "site", users[0], 3, explained=False))
    custody.erase(ledger, users[2], who="clerk", reason="asked for it", despite_retention=True)
    found = figures.check_all_figures(ledger)
    assert (found.checked, found.passed_over, found.findings) == (2, 2, ())
    assert main(["audit", "verify", "--figures", "--builds", "none"]) == 0

    read = figures.pd.read_parquet
    asset = next(fact.asset_id for fact in _cited(ledger, told[0]) if fact.metric == "last_close")

    def one_is_otherwise(*args: object, **more: object) -> object:
        closes = read(*args, **more)  # type: ignore[arg-type]
        return closes.assign(close=closes["close"].where(closes["asset_id"] != asset, closes["close"] + 1.0))

    monkeypatch.setattr(figures.pd, "read_parquet", one_is_otherwise)
    cites = {name for name in told[:2] if asset in {fact.asset_id for fact in _cited(ledger, name)}}
    wrong = figures.check_all_figures(ledger).findings
    assert {finding.record for finding in wrong} == cites
    assert all(asset in finding.problem for finding in wrong)
    assert main(["audit", "verify", "--figures", "--builds", "none"]) == 1


def _cited(ledger: Ledger, name: str) -> list[CitedFact]:
    record = parse_record(ledger.opened(ledger.leaf(name)))
    return [fact for line in record.list if line.explanation is not None for fact in line.explanation.facts]


def test_an_explanation_is_checked_against_closes_where_they_are_given(adviser: Adviser) -> None:
    build = adviser.build
    user = str(build.graph.nodes.id[build.graph.users[2]])
    explained = adviser.advise(Question("clerk", "site", user, 1)).explanations[0].to_json()
    prices = build.prices
    assert prices is not None
    assert check_explanation(build.graph, explained, adviser.rules, prices) == []
    wrong = prices.assign(close=prices["close"] + 1.0)
    assert check_explanation(build.graph, explained, adviser.rules, wrong) != []
