"""The rule about what can be bought at all: listed, not stopped, and with a price in the market's last days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from pathfolio.kg.graph import NO_DAY, IntArray, to_days
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.options import WholeNumber
from pathfolio.recommender.suitability.rule import Rule, Unit
from pathfolio.recommender.suitability.used_facts import day_text, edge_fact, kept
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact


@dataclass(frozen=True, kw_only=True)
class TradableRule(Rule):
    """Listed, not stopped, and with a price in the last days of the market.

    Attributes:
        max_days: how many days the last price may be older than the market's newest.
    """

    kind = "tradable"
    unit = Unit.DAYS
    reasons = ("traded", "no_price", "price_too_old", "not_listed_yet", "stopped")

    max_days: Annotated[int, WholeNumber(least=1)]

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """Compares the days of the last price with those that are allowed."""
        listed = assets.graph.nodes.listed[assets.graph.asset_span.row(at)]
        day = assets.price_day[at]
        newest = int(assets.price_day.max(initial=NO_DAY))
        age = np.where(day == NO_DAY, np.nan, newest - day.astype(np.float64))
        found = self.finding(len(at), Outcome.PASS, "traded").where(
            (np.isnan(age), Outcome.UNKNOWN, "no_price"),
            (age > self.max_days, self.fail, "price_too_old"),
            (listed > to_days(assets.today), self.fail, "not_listed_yet"),
            (assets.once(_stops)[at] >= 0, self.fail, "stopped"),
        )
        return replace(found, measured=age, limit=np.full(len(at), float(self.max_days)))

    def facts(
        self, assets: AssetFacts, investor: InvestorFacts, asset: Position, found: Judgement
    ) -> tuple[UsedFact, ...]:
        """That trading has stopped, the day of listing, and the last close."""
        return kept(assets.kept, ("tradable", asset), lambda: _market_facts(assets, asset))


def _stops(assets: AssetFacts) -> IntArray:
    """(assets,) the edge of a metric such as `delisted` above zero, -1 where there is none."""
    graph = assets.graph
    metrics = set(assets.rules.stop_metrics)
    out = np.full(len(graph.assets), -1, np.int64)
    if not len(out):
        return out
    edges = graph.edges
    stops = [
        edge
        for edge in graph.edges_between(Relation.HAS_FACT)
        if graph.nodes.id[edges.tail[edge]] in metrics and edges.value[edge] > 0
    ]
    out[graph.asset_span.position(edges.head[stops])] = stops
    return out


def _market_facts(assets: AssetFacts, asset: Position) -> Iterator[UsedFact]:
    asset_id = assets.id_of(asset)
    day = int(assets.price_day[asset])
    stop = int(assets.once(_stops)[asset])
    if stop >= 0:
        yield edge_fact(assets.graph, stop)
    row = assets.graph.asset_span.row(asset)
    listed = int(assets.graph.nodes.listed[row])
    if listed != NO_DAY:
        yield UsedFact(asset_id, "LISTED", source="assets", as_of=day_text(listed), known_at=day_text(listed))
    if day != NO_DAY:
        price = float(assets.price[asset])
        text = day_text(day)
        currency = str(assets.graph.nodes.currency[row])
        yield UsedFact(asset_id, "CLOSE", currency, price, "prices", text, text)
