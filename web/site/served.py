"""`ServedBuild`, or a graph alone, as the pages ask it; what is slow to make is made once and kept."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

import pandas as pd

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.facts import FactBook
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Question
from pathfolio.explain.records.asking import Today
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.inspect import Works, done_here
from pathfolio.explain.tracer import Tracer
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.graph_folder import GraphFolder
from pathfolio.kg.schema import ASSET_KIND_OF, OF_INVESTORS, NodeKind, Relation
from pathfolio.kg.span import Position, Row
from pathfolio.recommender.account import HOLDS_OR_HELD
from pathfolio.recommender.build import Build
from pathfolio.recommender.portfolio.book import PortfolioBook
from pathfolio.recommender.questionnaire import Choices, choices_of
from pathfolio.recommender.suitability.kinds.concentration import ConcentrationRule
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import Verdict
from pathfolio.web.site.charts import Sparkline, sparkline
from pathfolio.web.site.directory import Directory
from pathfolio.web.site.invest.divided import Divider
from pathfolio.web.site.prices import PriceBook, PriceHistory

SMALL_WIDTH: Final = 96
SMALL_HEIGHT: Final = 28
_SMALL_POINTS: Final = 48
_WARMED: Final = 12
"""Investors whose lists are made before anybody asks, so that most of what lists say of assets is known."""

_KINDS_OF: Final = MappingProxyType({"industry": (NodeKind.INDUSTRY, NodeKind.SECTOR), "issuer": (NodeKind.ISSUER,)})
_OF_ASSETS: Final = ("asset", "issuer")
"""Groups of a portfolio, and kinds of node that they are; these two may be called as an asset is."""


class ServedGraph:
    """Answers what pages ask of a graph, whether there are scores or not; safe to use from several threads.

    Args:
        source: whose snapshot it is.
        ledger: where it is recorded who asks what.
        today: says which day it is.

    Attributes:
        source_hash: of the build, or of the graph's content.
        rules: by which recommendations are judged; None where there are none.
    """

    def __init__(self, source: Build | GraphFolder, ledger: Ledger, today: Today) -> None:
        """Read the snapshot, nothing else yet."""
        self.source = source
        self.graph: KnowledgeGraph = source.graph
        self.source_hash = source.build_hash if isinstance(source, Build) else source.manifest.graph_hash
        self.ledger, self.today = ledger, today
        self.rules: RuleSet | None = None

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many nodes and edges there are of each kind."""
        return self.graph.counts()


class ServedBuild(ServedGraph):
    """Answers what pages ask of one build.

    Args:
        desk: hands out lists and explanations, each recorded before it is shown.

    Attributes:
        work: does what takes long: here, unless somebody else offers to; the work and all that it takes can be pickled.
    """

    def __init__(self, desk: Desk) -> None:
        """Read the snapshot, nothing else yet."""
        super().__init__(desk.adviser.build, desk.ledger, desk.today)
        self.desk = desk
        self.build = desk.adviser.build
        self.rules = desk.adviser.rules
        self.work: Works = done_here

    @cached_property
    def names(self) -> Tracer:
        """Names of nodes, as explanations write them."""
        return Tracer(self.graph, self.build.build_hash)

    def asset_node(self, asset: Position) -> PathNode:
        """The asset as a person reads it."""
        return self.names.node(self.graph.asset_span.row(asset))

    @cached_property
    def facts(self) -> FactBook:
        """Figures of assets."""
        return FactBook(self.graph)

    @cached_property
    def prices(self) -> PriceBook:
        """Closing prices up to the snapshot's date."""
        return PriceBook.of(self.build.prices, self.graph.as_of)

    @cached_property
    def signals(self) -> dict[str, pd.DataFrame]:
        """By asset, what signals told and what came (`pathfolio.recommender.signals.into.HISTORY`)."""
        history = self.build.signals
        return {} if history is None else {str(asset): part for asset, part in history.groupby("asset_id", sort=False)}

    @cached_property
    def investors(self) -> Directory:
        """Investors by name and id."""
        return Directory.of(self.names, self.graph.users)

    @cached_property
    def assets(self) -> Directory:
        """Assets by name, ticker and id."""
        return Directory.of(self.names, self.graph.assets)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of asset that the snapshot has: stock, fund, bond."""
        return tuple(word for word, kind in ASSET_KIND_OF.items() if len(self.graph.rows(kind)))

    @cached_property
    def told_counts(self) -> dict[str, dict[str, int]]:
        """As `counts`, for who may not see investors: of these and of what they hold as many as are told of, without
        their answers (`pathfolio.recommender.groups`), or each build would tell of who came since the last one."""
        groups = self.build.scorer.groups
        nodes = {**self.counts["nodes"], NodeKind.USER.value: groups.investors}
        edges = {relation: count for relation, count in self.counts["edges"].items() if relation not in OF_INVESTORS}
        return {"nodes": nodes, "edges": {**edges, HOLDS_OR_HELD: int(groups.holders.sum())}}

    def price_of(self, row: Row) -> PriceHistory | None:
        """The last year of closes of the asset at `row`, where there are any."""
        return self.prices.history(str(self.graph.nodes.id[row]), str(self.graph.nodes.currency[row]))

    @cached_property
    def _small_lines(self) -> dict[str, Sparkline | None]:
        return {}

    def small_line(self, asset_id: str) -> Sparkline | None:
        """The last year of an asset's closes as a line for a table, where there are any; made once."""
        if asset_id not in self._small_lines:
            price = self.price_of(self.graph.asset_row(asset_id))
            made = None if price is None else sparkline(price, SMALL_WIDTH, SMALL_HEIGHT, _SMALL_POINTS)
            self._small_lines[asset_id] = made
        return self._small_lines[asset_id]

    @cached_property
    def portfolios(self) -> PortfolioBook:
        """What portfolios would have returned, and what they consist of."""
        return PortfolioBook(self.desk.adviser.gate.assets, self.build.prices)

    @cached_property
    def divider(self) -> Divider:
        """Divides sums among assets."""
        return Divider(self.portfolios)

    @cached_property
    def choices(self) -> Choices:
        """What the snapshot lets an investor answer."""
        return choices_of(self.graph)

    @cached_property
    def rows_by_name(self) -> dict[str, Row]:
        """Rows of assets by the names that mixes of issuers call them by."""
        return {self.graph.display_name(Row(row)): Row(row) for row in self.graph.assets.tolist()}

    def called(self, group: str, name: str, lang: str) -> str:
        """What a group of a mix or of a rule about concentration is called in a language: an industry, an issuer, or
        an asset; `name` itself where nothing is called so."""
        row = next((row for kind in _KINDS_OF.get(group, ()) if (row := self.graph.find(kind, name)) is not None), None)
        if row is None and group in _OF_ASSETS:
            row = self.rows_by_name.get(name)
        return name if row is None else self.names.node(row).label(lang)

    def in_language(self, verdict: Verdict, lang: str) -> Verdict:
        """The verdict with the groups of rules about concentration called as readers of `lang` know them."""
        results = tuple(
            replace(found, subject=self.called(group, found.subject, lang)) if rule == ConcentrationRule.kind else found
            for found in verdict.results
            for rule, _, group in (found.kind.partition("/"),)
        )
        return replace(verdict, results=results)

    def warm_up(self) -> None:
        """Make everything that the first request would have to wait for."""
        for directory in (self.investors, self.assets):
            directory.find("", 1)
        if len(self.graph.users):
            for user in self.graph.user_ids[:: max(1, len(self.graph.users) // _WARMED)][:_WARMED].tolist():
                self.desk.adviser.advise(Question("", "", str(user), today=self.desk.today()))
            self.choices  # noqa: B018 - made once
            self.portfolios.year_ago.outgoing(Relation.HOLDS)
            self.divider.warm_up()
