"""`AssetFacts`: what the rules ask of assets, computed once for a snapshot and a rule file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.figures import figure_column
from pathfolio.kg.graph import NO_DAY, FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.suitability.derivation import derivations_used, values_of
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.used_facts import FactMemo, one_edge
from pathfolio.recommender.suitability.volatility import MODELLED, MODELLED_DAYS, Volatility, classes_of, volatility

Column = TypeVar("Column")


@dataclass(frozen=True)
class AssetFacts:
    """Facts of all n assets of a snapshot, in the order of `graph.assets`: what several kinds of rules ask.

    What one kind alone asks, it makes for itself, with `once`.

    Attributes:
        today: the day of asking: ages count up to it. The snapshot's own day where nobody said on which day they ask.
        risk_class: (n,) float64, NaN where neither a rating nor a derivation gives one.
        risk_most: (n,) float64, the highest class that is possible; above `risk_class` where that is not certain.
        risk_edge: (n,) the edge that states the rating, -1 where the class is derived or unknown.
        derivations: by what is derived (`rules.DERIVED`): (n,) positions in `rules.derivations`, -1 where none fits.
        volatility: how far prices varied, where the rules ask for it.
        is_foreign: (n,) bool: trades in a currency that is known not to be the rules' own.
        price: (n,) last close in the asset's currency, NaN where there is none.
        price_day: (n,) int32 days since 1970, `NO_DAY` where there is no price.
        made: what `once` has made, the same for every day of asking.
        kept: facts that verdicts have cited.
    """

    graph: KnowledgeGraph
    rules: RuleSet
    today: date
    risk_class: FloatArray
    risk_most: FloatArray
    risk_edge: IntArray
    derivations: dict[str, IntArray]
    volatility: Volatility
    is_foreign: Mask
    price: FloatArray
    price_day: npt.NDArray[np.int32]
    made: dict[Callable[[AssetFacts], object], object] = field(default_factory=dict, repr=False, compare=False)
    kept: FactMemo = field(init=False, default_factory=dict, repr=False, compare=False)

    def on(self, today: date) -> AssetFacts:
        """The same facts for those who ask on another day."""
        return replace(self, today=today)

    def once(self, make: Callable[[AssetFacts], Column]) -> Column:
        """What `make` finds in these facts, made the first time and kept; it must not look at `today`."""
        if make not in self.made:
            self.made[make] = make(self)
        return cast(Column, self.made[make])

    def id_of(self, asset: Position) -> str:
        """The id of the asset at a position."""
        return str(self.graph.asset_ids[asset])


def asset_facts(graph: KnowledgeGraph, rules: RuleSet, prices: pd.DataFrame | None = None) -> AssetFacts:
    """What `rules` ask of the assets of `graph`, on its own day.

    Args:
        prices: asset_id, date, close; later ones than the snapshot's date are not looked at.
    """
    rated, edge = rated_by(graph, Relation.HAS_RISK_RATING, rules.ratings)
    derivations = derivations_used(graph, rules.derivations)
    varied = volatility(graph, prices, rules.volatility)
    is_foreign = _foreign(graph, rules)
    classes = (varied.risk_class(rules.volatility), _modelled(graph, rules))
    derived, most = _derived_class(rules, derivations["risk_class"], classes, is_foreign)
    is_rated = ~np.isnan(rated)
    price, price_day = _last_prices(graph, prices)
    return AssetFacts(
        graph,
        rules,
        today=graph.as_of,
        risk_class=np.where(is_rated, rated, derived),
        risk_most=np.where(is_rated, rated, most),
        risk_edge=edge,
        derivations=derivations,
        volatility=varied,
        is_foreign=is_foreign,
        price=price,
        price_day=price_day,
    )


def rated_by(graph: KnowledgeGraph, relation: Relation, numbers: Mapping[str, float]) -> tuple[FloatArray, IntArray]:
    """What a table of the rule file makes of the node that `relation` leads to from each asset.

    Args:
        numbers: names of such nodes, in lower case, to numbers.

    Returns:
        (assets,) float64, NaN where the asset has no such node or the table does not list it; and (assets,) the edge
        that states it, -1 in the same places.
    """
    edge = one_edge(graph, relation, graph.assets)
    if not len(graph.edges):
        return np.full(len(edge), np.nan), edge
    names = graph.nodes.id[graph.edges.tail[np.maximum(edge, 0)]]
    found = np.array([numbers.get(str(name).casefold(), np.nan) for name in names], np.float64)
    rating = np.where(edge >= 0, found, np.nan)
    return rating, np.where(np.isnan(rating), -1, edge)


def _modelled(graph: KnowledgeGraph, rules: RuleSet) -> FloatArray:
    """(assets,) the class of what a model says of each asset's volatility; NaN where none says anything."""
    return classes_of(figure_column(graph, MODELLED, within=MODELLED_DAYS), rules.volatility)


def _foreign(graph: KnowledgeGraph, rules: RuleSet) -> Mask:
    currency = graph.nodes.currency[graph.assets]
    return np.asarray((currency != "") & (currency != rules.base_currency), bool)


def _derived_class(
    rules: RuleSet, derivation: IntArray, classes: tuple[FloatArray, FloatArray], is_foreign: Mask
) -> tuple[FloatArray, FloatArray]:
    """(n,) the class where no rating states one, and the highest that it may be.

    By measured prices, but not below what the derivation's line leaves possible; where these are too few, by what a
    model says of how they vary, which is as uncertain as the line; by the line alone where no model does; not below
    `foreign_class` in a foreign currency.

    Args:
        classes: by measured and by modelled volatility, NaN where there is none.
    """
    by_line = values_of(derivation, [each.value for each in rules.derivations])
    least = values_of(derivation, [each.least for each in rules.derivations])
    most = values_of(derivation, [each.most for each in rules.derivations])
    measured, modelled = classes
    by_prices = np.where(np.isnan(measured), modelled, measured)
    found = np.where(np.isnan(by_prices), by_line, np.fmax(by_prices, least))
    most = np.where(np.isnan(measured), np.where(np.isnan(modelled), most, np.fmax(most, found)), found)
    floor = np.where(is_foreign, float(rules.foreign_class), -np.inf)
    return np.maximum(found, floor), np.maximum(most, floor)


def _last_prices(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    close = np.full(len(graph.assets), np.nan)
    day = np.full(len(graph.assets), NO_DAY, np.int32)
    if prices is None or prices.empty:
        return close, day
    known = prices[pd.to_datetime(prices["date"]) <= pd.Timestamp(graph.as_of)].dropna(subset=["close"])
    last = known.sort_values("date", kind="stable").drop_duplicates("asset_id", keep="last").set_index("asset_id")
    ids = pd.Index(graph.asset_ids)
    at = last.index.get_indexer(ids)
    found = at >= 0
    close[found] = last["close"].to_numpy(np.float64)[at[found]]
    days = (pd.to_datetime(last["date"]) - pd.Timestamp(0)) // pd.Timedelta(days=1)
    day[found] = days.to_numpy(np.int32)[at[found]]
    return close, day
