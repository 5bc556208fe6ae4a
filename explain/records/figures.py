"""What records say in figures, held by the independent checker against what was sealed for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import pandas as pd
from msgspec import to_builtins

from pathfolio.explain.checker.closes import check_figures
from pathfolio.explain.checker.mixes import MixCheck
from pathfolio.explain.checker.portfolios import check_portfolio
from pathfolio.explain.ledger.entry import GoneError, Header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.walk import Finding
from pathfolio.explain.records.inspect import LISTS
from pathfolio.explain.records.keep import kept_build
from pathfolio.explain.records.layout import parse_record
from pathfolio.explain.records.layout.shown import CitedFact
from pathfolio.explain.records.portfolio_record import PORTFOLIO, PortfolioEntry
from pathfolio.kg.errors import DataError, LedgerError
from pathfolio.kg.storage import load_graph

_COLUMNS: Final = ["asset_id", "date", "close"]


class FigureCheck:
    """Checks records one after the other; what the same build says of the same figure is computed once.

    Best asked for the records of one build after the other: the closes of one are in memory at a time.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is read yet."""
        self._ledger = ledger
        self._build = ""
        self._closes: dict[str, pd.DataFrame] | None = None
        self._graph: Path | None = None
        self._mixes: MixCheck | None = None
        self._found: dict[CitedFact, list[str]] = {}

    def wrong(self, header: Header) -> list[str] | None:
        """What is wrong with the figures that the record's explanations cite, one line each.

        None where nothing can be said: it has no explanation, its person was erased, or its build or the closes are
        not kept here.

        Raises:
            LedgerError: the entry was altered.
            DataError: it is no record that this version reads.
        """
        try:
            text = self._ledger.opened(self._ledger.leaf(header.id))
        except GoneError:
            return None
        if header.kind == PORTFOLIO:
            return self._wrong_portfolio(header, msgspec.json.decode(text, type=PortfolioEntry))
        record = parse_record(text, header.id)
        facts = {fact for line in record.list if line.explanation is not None for fact in line.explanation.facts}
        if not facts or not self._has_closes(record.build.hash) or self._closes is None:
            return None
        new = sorted(facts - self._found.keys(), key=lambda fact: fact.id)
        for fact in new:
            closes = self._closes.get(fact.asset_id or "")
            known = closes if closes is not None else pd.DataFrame(columns=_COLUMNS).astype({"date": "datetime64[ns]"})
            self._found[fact] = check_figures([to_builtins(fact)], known, record.data.as_of)
        return sorted({problem for fact in facts for problem in self._found[fact]})

    def _wrong_portfolio(self, header: Header, entry: PortfolioEntry) -> list[str] | None:
        has_closes = self._has_closes(header.tags["build"])
        mixes = self._wrong_mixes(entry)
        if not (entry.now or entry.then) or not has_closes or self._closes is None:
            return mixes
        problems = mixes or []
        counted = [row for row in entry.weights if row.counted]
        rows = {row.asset_id: self._closes[row.asset_id] for row in counted if row.asset_id in self._closes}
        closes = {
            asset: sorted(zip(own["date"].dt.date, own["close"].astype(float), strict=True))
            for asset, own in rows.items()
        }
        for facts, weights in (
            (entry.now, {row.asset_id: row.now for row in counted}),
            (entry.then, {row.asset_id: row.then for row in counted}),
        ):
            problems += check_portfolio(
                weights, [to_builtins(fact) for fact in facts], closes, date.fromisoformat(header.tags["as_of"])
            )
        return problems

    def _wrong_mixes(self, entry: PortfolioEntry) -> list[str] | None:
        """What is wrong with the mixes; None where none are said, or the build is not kept here."""
        if not entry.mixes or self._graph is None:
            return None
        if self._mixes is None:
            self._mixes = MixCheck(load_graph(self._graph))
        return self._mixes.wrong({row.asset_id: (row.now, row.then) for row in entry.weights}, entry.mixes)

    def _has_closes(self, build: str) -> bool:
        """Have the closes of the build at hand, if they are kept."""
        if build != self._build:
            folder = kept_build(self._ledger, build)
            file = None if folder is None else folder / "prices.parquet"
            self._build, self._closes, self._found = build, None, {}
            self._graph, self._mixes = None if folder is None else folder / "graph", None
            if file is not None and file.is_file():
                rows = pd.read_parquet(file, columns=_COLUMNS)
                self._closes = {str(asset): part for asset, part in rows.groupby("asset_id", sort=False)}
        return self._closes is not None


@dataclass(frozen=True)
class CheckedFigures:
    """How many records' figures follow from closes or not, and of how many nothing can be said."""

    checked: int
    passed_over: int
    findings: tuple[Finding, ...]


def wrong_figures(ledger: Ledger, header: Header) -> list[str]:
    """As `FigureCheck.wrong`; nothing where nothing can be said."""
    return FigureCheck(ledger).wrong(header) or []


def check_all_figures(ledger: Ledger) -> CheckedFigures:
    """Check the figures of every list, and of every portfolio, in the ledger.

    An entry that cannot be read is passed over: that it is as it was written is for `verify_ledger` to say.
    """
    by_build: defaultdict[str, list[Header]] = defaultdict(list)
    for header in ledger.headers(kinds=(*LISTS, PORTFOLIO)):
        by_build[header.tags.get("build", "")].append(header)
    check, checked, passed_over = FigureCheck(ledger), 0, 0
    findings: list[Finding] = []
    for header in (header for headers in by_build.values() for header in headers):
        try:
            wrong = check.wrong(header)
        except (DataError, LedgerError):
            wrong = None
        checked, passed_over = (checked, passed_over + 1) if wrong is None else (checked + 1, passed_over)
        findings += [Finding(header.seq, header.id, problem) for problem in wrong or ()]
    return CheckedFigures(checked, passed_over, tuple(findings))
