"""Daily rolling: every morning a list from what was known then, scored on that day's new purchases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import NO_DAY, Edges, IntArray, KnowledgeGraph, Mask, to_days
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, POSITIONS, RELATION_CODE, TRADES
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.evaluation.split import Fold, pairs_before, without
from pathfolio.recommender.evaluation.stranger import with_stranger
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.new_issues import NEW_ISSUE_DAYS

_OF_TRADING: Final = [RELATION_CODE[relation] for relation in (*POSITIONS, *TRADES)]
_PAIR: Final = ["user_id", "asset_id"]


def morning(graph: KnowledgeGraph, day: date) -> KnowledgeGraph:
    """What was known on the morning of `day`: all that was known before it, and attributes dated on it.

    Positions and trades first known on `day` itself are left out, and so are investors and assets that only they made
    known; an asset listed on `day` is there. Names and identifiers stay as `graph` has them, as with
    `KnowledgeGraph.at`.

    Raises:
        UsageError: `day` is later than the graph's own date.
    """
    known = graph.at(day)
    limit = to_days(day)
    edges = known.edges
    earlier = ~(np.isin(edges.relation, _OF_TRADING) & (edges.known_at >= limit))
    touched = np.zeros(len(known), bool)
    touched[edges.head[earlier]] = touched[edges.tail[earlier]] = True
    is_asset = np.isin(known.nodes.kind, [KIND_CODE[kind] for kind in ASSET_KINDS])
    listed = is_asset & (known.nodes.listed != NO_DAY) & (known.nodes.listed <= limit)
    return restricted(known, (known.nodes.known_at < limit) | touched | listed, earlier)


def restricted(graph: KnowledgeGraph, nodes: Mask, edges: Mask) -> KnowledgeGraph:
    """The graph with only these nodes and edges; no kept edge may touch a node that goes."""
    kept = graph.edges.take(edges)
    new_row = (np.cumsum(nodes) - 1).astype(np.int32)
    columns = {f.name: getattr(kept, f.name) for f in fields(Edges)}
    columns |= {"head": new_row[kept.head], "tail": new_row[kept.tail]}
    return replace(graph, nodes=graph.nodes.take(nodes), edges=Edges(**columns))


@dataclass(frozen=True)
class Morning:
    """One day's question: who newly buys what, and the snapshot to answer it from.

    Attributes:
        day: the date.
        graph: what was known that morning, with the stranger as the first investor.
        events: positions in `RollingData.events`, ascending.
        users: (events,) positions of the investors, 0 (the stranger) for those not known yet.
        relevant: (events, assets) bool: what each newly bought, of what the snapshot knows.
        bought: (events,) int64: how many assets each newly bought, unknown ones included.
        ever: (events, assets) bool: what each has or had that morning.
    """

    day: date
    graph: KnowledgeGraph
    events: IntArray
    users: Positions
    relevant: Mask
    bought: IntArray
    ever: Mask


@dataclass(frozen=True)
class RollingData:
    """A window, ready to evaluate.

    Attributes:
        window: the cut, on which models are fitted, and the last day.
        graph: the snapshot of the cut.
        world: the snapshot of the last day, without later statements; mornings are taken from it.
        purchases: date, user_id, asset_id, event: every pair first traded on that date and bought on it.
        events: date, user_id, first (no position before), new_issue (something listed at most 45 days ago is
            among it), bought (number of assets); sorted by date and investor.
    """

    window: Fold
    graph: KnowledgeGraph
    world: KnowledgeGraph
    purchases: pd.DataFrame
    events: pd.DataFrame

    def mornings(self) -> Iterator[Morning]:
        """One `Morning` per day with events, in order."""
        for _, purchases in self.purchases.groupby("date", sort=True):
            yield _morning_of(self.world, purchases)


def prepare_rolling(tables: Tables, window: Fold) -> RollingData:
    """The snapshots and the truth of a window.

    Statements of positions dated after the cut are not used: positions change by transactions alone.

    Raises:
        DataError: no transaction in the window buys anything for the first time, or nothing is known at the cut.
    """
    cut = window.train_end
    known = replace(tables, positions=tables.positions[tables.positions["as_of"] <= pd.Timestamp(cut)])
    world = assemble_graph(known, window.test_end)
    purchases = _first_purchases(known, window)
    if purchases.empty:
        raise DataError(
            f"{tables.name}: no transaction in {window.name} buys anything for the first time: choose a window that "
            "the transactions cover"
        )
    graph = assemble_graph(known, cut)
    if not Interactions(graph).ever.nnz:
        raise DataError(f"{tables.name}: no position is known on {cut}: choose a later CUT")
    return RollingData(window, graph, world, purchases, _events(known, purchases))


def _first_purchases(tables: Tables, window: Fold) -> pd.DataFrame:
    """date, user_id, asset_id of the pairs first traded in the window and bought on that very day."""
    start, end = pd.Timestamp(window.train_end), pd.Timestamp(window.test_end)
    rows = tables.transactions
    rows = rows[(rows["date"] > start) & (rows["date"] <= end)]
    first = rows.groupby(_PAIR)["date"].min().rename("first").reset_index()
    fresh = without(first[_PAIR], pairs_before(tables, window.train_end)).merge(first, on=_PAIR)
    bought = rows.loc[rows["side"] == "buy", ["date", *_PAIR]].drop_duplicates().merge(fresh, on=_PAIR)
    bought = bought.loc[bought["date"] == bought["first"], ["date", *_PAIR]].sort_values(["date", *_PAIR])
    return bought.assign(event=bought.groupby(["date", "user_id"]).ngroup()).reset_index(drop=True)


def _events(tables: Tables, purchases: pd.DataFrame) -> pd.DataFrame:
    """One row per event, in the order of their numbers."""
    listed = purchases["asset_id"].map(tables.assets.groupby("asset_id")["listed"].min())
    age = (purchases["date"] - listed).dt.days
    rows = purchases.assign(new_issue=(age >= 0) & (age <= NEW_ISSUE_DAYS))
    by_event = rows.groupby("event")
    events = by_event[["date", "user_id"]].first()
    events["new_issue"] = by_event["new_issue"].any()
    events["bought"] = by_event.size()
    dated = [tables.positions[["user_id", "as_of"]], tables.transactions[["user_id", "date"]]]
    since = pd.concat([frame.set_axis(["user_id", "date"], axis=1) for frame in dated]).groupby("user_id")["date"].min()
    events["first"] = ~(events["user_id"].map(since) < events["date"])
    return events[["date", "user_id", "first", "new_issue", "bought"]]


def _morning_of(world: KnowledgeGraph, purchases: pd.DataFrame) -> Morning:
    day = purchases["date"].iloc[0].date()
    graph = with_stranger(morning(world, day))
    events, row = np.unique(purchases["event"].to_numpy(np.int64), return_inverse=True)
    ids = purchases.drop_duplicates("event")["user_id"].to_numpy(object)
    users = Positions(np.maximum(find(ids, graph.user_ids), 0))  # the stranger is the first
    asset = find(purchases["asset_id"].to_numpy(object), graph.asset_ids)
    relevant = np.zeros((len(events), len(graph.assets)), bool)
    relevant[row[asset >= 0], asset[asset >= 0]] = True
    ever = Interactions(graph).ever[users].toarray() > 0
    return Morning(day, graph, events, users, relevant, np.bincount(row), ever)
