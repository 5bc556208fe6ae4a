"""`AssetFacts`: what the rules ask of assets, computed once for a snapshot and a rule file."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import NO_DAY, FloatArray, IntArray, KnowledgeGraph, Mask, to_date, to_days
from pathfolio.kg.schema import KIND_CODE, RELATION_KINDS, UNDATED, Relation
from pathfolio.recommender.suitability.exposure import Exposure, exposures
from pathfolio.recommender.suitability.rulefile import restricted_relation
from pathfolio.recommender.suitability.rules import Derivation, RuleSet
from pathfolio.recommender.suitability.verdict import Fact
from pathfolio.recommender.suitability.volatility import Volatility, volatility

PREDICTED: Final = "predicted"
"""The mark of a level that the source has estimated, and the note of the fact that says so."""


@dataclass(frozen=True)
class AssetFacts:
    """Facts of all n assets of a snapshot, in the order of `graph.assets`.

    Attributes:
        today: the day of asking: ages count up to it. The snapshot's own day where nobody said on which day they ask.
        risk_class: (n,) float64, NaN where neither a rating nor a derivation gives one.
        risk_most: (n,) float64, the highest class that is possible; above `risk_class` where that is not certain.
        risk_edge: (n,) the edge that states the rating, -1 where the class is derived or unknown.
        risk_rule, complexity_rule: (n,) positions in `rules.derivations`, -1 where none applied.
        volatility: how far prices varied, where the rules ask for it.
        is_foreign: (n,) bool: trades in a currency that is known not to be the rules' own.
        complexity: (n,) float64, NaN where unknown.
        holding_years: (n,) float64, for how long it should be held at least; NaN where its class gives none.
        price: (n,) last close in the asset's currency, NaN where there is none.
        price_day: (n,) int32 days since 1970, `NO_DAY` where there is no price.
        market_day: the newest day with any price, `NO_DAY` where there are none.
        restriction: (n,) positions in `rules.restrictions`, -1 where none is in force.
        stop_edge: (n,) the edge that says that the asset cannot be bought, -1 where there is none.
        exposure: the look-through, by the names of `rules.CONCENTRATIONS`.
        kept: facts that verdicts have cited (see `evidence.facts_used`).
    """

    graph: KnowledgeGraph
    rules: RuleSet
    today: date
    risk_class: FloatArray
    risk_most: FloatArray
    risk_edge: IntArray
    risk_rule: IntArray
    volatility: Volatility
    is_foreign: Mask
    complexity: FloatArray
    complexity_rule: IntArray
    holding_years: FloatArray
    price: FloatArray
    price_day: npt.NDArray[np.int32]
    market_day: int
    restriction: IntArray
    stop_edge: IntArray
    exposure: dict[str, Exposure]
    kept: dict[Hashable, tuple[Fact, ...]] = field(init=False, default_factory=dict, repr=False, compare=False)

    def on(self, today: date) -> AssetFacts:
        """The same facts for those who ask on another day."""
        return replace(self, today=today, restriction=_restrictions(self.graph, self.rules, today))


def asset_facts(graph: KnowledgeGraph, rules: RuleSet, prices: pd.DataFrame | None = None) -> AssetFacts:
    """What `rules` ask of the assets of `graph`, on its own day.

    Args:
        prices: asset_id, date, close; later ones than the snapshot's date are not looked at.
    """
    texts = _searchable_texts(graph)
    rated, edge = _rated(graph, rules)
    risk_rule = _first_that_fits(graph, rules.derivations, "risk_class", texts)
    complexity_rule = _first_that_fits(graph, rules.derivations, "complexity", texts)
    varied, is_foreign = volatility(graph, prices, rules.volatility), _foreign(graph, rules)
    derived, most = _derived_class(rules, risk_rule, varied, is_foreign)
    is_rated = ~np.isnan(rated)
    price, price_day = _last_prices(graph, prices)
    risk_class = np.where(is_rated, rated, derived)
    return AssetFacts(
        graph,
        rules,
        today=graph.as_of,
        risk_class=risk_class,
        risk_most=np.where(is_rated, rated, most),
        risk_edge=edge,
        risk_rule=np.where(is_rated, -1, risk_rule),
        volatility=varied,
        is_foreign=is_foreign,
        complexity=_values(complexity_rule, [each.value for each in rules.derivations]),
        complexity_rule=complexity_rule,
        holding_years=_holding_years(risk_class, rules),
        price=price,
        price_day=price_day,
        market_day=int(price_day.max(initial=NO_DAY)),
        restriction=_restrictions(graph, rules, graph.as_of),
        stop_edge=_stops(graph, rules),
        exposure=exposures(graph),
    )


def edge_fact(graph: KnowledgeGraph, edge: int, note: str = "") -> Fact:
    """One edge of the graph as a fact; a person is never named by it, only by id."""
    edges, nodes = graph.edges, graph.nodes
    number = next((float(x) for x in (edges.weight[edge], edges.value[edge]) if not np.isnan(x)), None)
    qualifier = str(edges.qualifier[edge])
    return Fact(
        head=str(nodes.id[edges.head[edge]]),
        relation=RELATION_KINDS[int(edges.relation[edge])].value,
        tail=str(nodes.id[edges.tail[edge]]),
        value=number,
        source=str(edges.source[edge]),
        as_of=day_text(int(edges.as_of[edge])),
        known_at=day_text(int(edges.known_at[edge])),
        note=note or (qualifier if qualifier == PREDICTED else ""),
    )


def day_text(day: int) -> str:
    """An ISO date; empty for a fact without a date."""
    return "" if day in (NO_DAY, to_days(UNDATED)) else to_date(day).isoformat()


def one_edge(graph: KnowledgeGraph, relation: Relation, rows: IntArray) -> IntArray:
    """(len(rows),) the one current edge of `relation` that leaves each node, -1 where there is none."""
    out = graph.outgoing(relation)
    first, last = out.indptr[rows], out.indptr[rows + 1]
    if not len(out.edge):
        return np.full(len(rows), -1, np.int64)
    return np.where(last > first, out.edge[np.minimum(first, len(out.edge) - 1)], -1)


def _rated(graph: KnowledgeGraph, rules: RuleSet) -> tuple[FloatArray, IntArray]:
    edge = one_edge(graph, Relation.HAS_RISK_RATING, graph.assets)
    names = graph.nodes.id[graph.edges.tail[np.maximum(edge, 0)]] if len(graph.edges) else np.array([], object)
    found = [rules.ratings.get(str(name).casefold(), np.nan) for name in names]
    rating = np.where(edge >= 0, np.array(found, np.float64), np.nan) if len(names) else np.full(len(edge), np.nan)
    return rating, np.where(np.isnan(rating), -1, edge)


def _searchable_texts(graph: KnowledgeGraph) -> list[str]:
    """What a derivation's words are looked for in: category, sector, industry and names of each asset."""
    parts = [graph.nodes.name[graph.assets], graph.nodes.name_local[graph.assets]]
    for relation in (Relation.IN_CATEGORY, Relation.IN_SECTOR, Relation.IN_INDUSTRY):
        edge = one_edge(graph, relation, graph.assets)
        tails = [str(graph.nodes.id[graph.edges.tail[e]]) if e >= 0 else "" for e in edge]
        parts.append(np.array(tails, dtype=object))
    return ["\n".join(words).casefold() for words in zip(*parts, strict=True)]


def _first_that_fits(
    graph: KnowledgeGraph, derivations: tuple[Derivation, ...], target: str, texts: list[str]
) -> IntArray:
    """(n,) which derivation of `target` is the first that fits each asset, -1 where none does."""
    kinds = graph.nodes.kind[graph.assets]
    chosen = np.full(len(kinds), -1, np.int64)
    for number, derivation in enumerate(derivations):
        if derivation.target != target:
            continue
        fits = chosen < 0
        if derivation.kinds:
            fits &= np.isin(kinds, [KIND_CODE[kind] for kind in derivation.kinds])
        if derivation.words:
            fits &= np.array([any(word in text for word in derivation.words) for text in texts], bool)
        chosen[fits] = number
    return chosen


def _values(chosen: IntArray, values: list[int]) -> FloatArray:
    """(n,) the value of each one's derivation, NaN where none fits."""
    return np.append(np.array(values, np.float64), np.nan)[chosen]


def _foreign(graph: KnowledgeGraph, rules: RuleSet) -> Mask:
    currency = graph.nodes.currency[graph.assets]
    return np.asarray((currency != "") & (currency != rules.base_currency), bool)


def _derived_class(
    rules: RuleSet, rule: IntArray, varied: Volatility, is_foreign: Mask
) -> tuple[FloatArray, FloatArray]:
    """(n,) the class where no rating states one, and the highest that it may be.

    By measured prices, but not below what the derivation's line leaves possible; by the line alone where prices are
    not measured; not below `foreign_class` in a foreign currency.
    """
    by_line = _values(rule, [each.value for each in rules.derivations])
    least, most = (_values(rule, [getattr(each, name) for each in rules.derivations]) for name in ("least", "most"))
    by_prices = varied.risk_class(rules.volatility)
    found = np.where(np.isnan(by_prices), by_line, np.fmax(by_prices, least))
    most = np.where(np.isnan(by_prices), most, found)
    floor = np.where(is_foreign, float(rules.foreign_class), -np.inf)
    return np.maximum(found, floor), np.maximum(most, floor)


def _holding_years(risk_class: FloatArray, rules: RuleSet) -> FloatArray:
    years = np.full(len(risk_class), np.nan)
    for of_class, number in rules.holding_years.items():
        years[risk_class == of_class] = number
    return years


def _last_prices(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    close, day = np.full(len(graph.assets), np.nan), np.full(len(graph.assets), NO_DAY, np.int32)
    if prices is None or prices.empty:
        return close, day
    known = prices[pd.to_datetime(prices["date"]) <= pd.Timestamp(graph.as_of)].dropna(subset=["close"])
    last = known.sort_values("date", kind="stable").drop_duplicates("asset_id", keep="last").set_index("asset_id")
    ids = pd.Index(graph.nodes.id[graph.assets])
    at = last.index.get_indexer(ids)
    found = at >= 0
    close[found] = last["close"].to_numpy(np.float64)[at[found]]
    days = (pd.to_datetime(last["date"]) - pd.Timestamp(0)) // pd.Timedelta(days=1)
    day[found] = days.to_numpy(np.int32)[at[found]]
    return close, day


def _restrictions(graph: KnowledgeGraph, rules: RuleSet, today: date) -> IntArray:
    """(n,) the first restriction in force for each asset, -1 where there is none."""
    out = np.full(len(graph.assets), -1, np.int64)
    for number, restriction in enumerate(rules.restrictions):
        if restriction.holds_on(today):
            out[(out < 0) & _covers(graph, restriction.kind, restriction.value)] = number
    return out


def _covers(graph: KnowledgeGraph, kind: str, value: str) -> Mask:
    found = restricted_relation(kind)
    nodes, rows = graph.nodes, graph.assets
    if found is None:
        return np.asarray((nodes.id[rows] == value) | (nodes.isin[rows] == value) | (nodes.ticker[rows] == value), bool)
    target = graph.find(found[0], value)
    edge = one_edge(graph, found[1], rows)
    if target is None:
        return np.zeros(len(rows), bool)
    found_there: Mask = (edge >= 0) & (graph.edges.tail[np.maximum(edge, 0)] == target)
    return found_there


def _stops(graph: KnowledgeGraph, rules: RuleSet) -> IntArray:
    """(n,) the edge of a metric such as `delisted` above zero, -1 where there is none."""
    out = np.full(len(graph.assets), -1, np.int64)
    edges, stops = graph.edges, set(rules.stop_metrics)
    if len(graph.assets):
        at = graph.edges_between(Relation.HAS_FACT)
        hits = [e for e in at if graph.nodes.id[edges.tail[e]] in stops and edges.value[e] > 0]
        out[edges.head[hits] - graph.assets[0]] = hits
    return out
