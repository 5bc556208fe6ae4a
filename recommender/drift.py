"""How far the world has moved since a model was trained, and whether it is time to train again."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph, Mask, to_days
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.baselines.popularity import fit_popularity
from pathfolio.recommender.evaluation.metrics import hits_of, ndcg
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model
from pathfolio.recommender.retrieve import rank_assets

NEW_NODES: Final = 0.10
DEMAND_SHIFT: Final = 0.35
LOST_QUALITY: Final = 0.7
_MONTH: Final = 30


@dataclass(frozen=True)
class Drift:
    """What moved between the snapshot a model was trained on and today's.

    Attributes:
        days: between the two snapshots.
        new_nodes: share of today's nodes that the model was not trained on.
        demand_shift: total variation distance between the two last months' purchases by asset, 0 to 1;
            NaN where one of them has none.
        ndcg: nDCG@10 of the trained snapshot's lists on what its investors have newly bought since; NaN without any.
        popularity_ndcg: the same for lists of the assets most held then, the floor to compare with.
        buyers: investors whom these two means are over.
    """

    days: int
    new_nodes: float
    demand_shift: float
    ndcg: float
    popularity_ndcg: float
    buyers: int

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why training again is due; empty where it is not."""
        found = []
        if self.new_nodes > NEW_NODES:
            found.append(f"{self.new_nodes:.0%} of the nodes are new (limit {NEW_NODES:.0%})")
        if self.demand_shift > DEMAND_SHIFT:
            found.append(f"demand has shifted by {self.demand_shift:.2f} (limit {DEMAND_SHIFT:.2f})")
        if self.buyers >= _MONTH and self.ndcg < LOST_QUALITY * self.popularity_ndcg:
            found.append(f"nDCG@10 {self.ndcg:.3f} is far below popularity's {self.popularity_ndcg:.3f}")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """The numbers in JSON's types (NaN as null), with the reasons."""
        numbers = {key: None if math.isnan(value) else value for key, value in asdict(self).items()}
        return {**numbers, "train_again": list(self.reasons)}


def measure_drift(trained: Model, today: KnowledgeGraph) -> Drift:
    """Compare the snapshot of `trained` with a later one."""
    before = trained.graph
    old = set(zip(before.nodes.kind.tolist(), before.nodes.id.tolist(), strict=True))
    new = sum(key not in old for key in zip(today.nodes.kind.tolist(), today.nodes.id.tolist(), strict=True))
    ours, popular, buyers = _quality(trained, today)
    return Drift(
        days=to_days(today.as_of) - to_days(before.as_of),
        new_nodes=new / max(len(today), 1),
        demand_shift=_demand_shift(before, today),
        ndcg=ours,
        popularity_ndcg=popular,
        buyers=buyers,
    )


def _demand_shift(before: KnowledgeGraph, today: KnowledgeGraph) -> float:
    share: list[dict[str, float]] = []
    for graph in (before, today):
        bought = Interactions(graph).bought_within(_MONTH)
        ids = graph.asset_ids.tolist()
        share.append(dict(zip(ids, (bought / bought.sum()).tolist(), strict=True)) if bought.sum() else {})
    if not all(share):
        return float("nan")
    return 0.5 * sum(abs(share[0].get(key, 0.0) - share[1].get(key, 0.0)) for key in share[0].keys() | share[1].keys())


def _quality(trained: Model, today: KnowledgeGraph) -> tuple[float, float, int]:
    """nDCG@10 of the model's and of popularity's lists on the purchases since, and how many investors bought."""
    bought = _bought_since(trained.graph, today)
    users = Positions(np.flatnonzero(bought.any(axis=1)))
    if not len(users):
        return float("nan"), float("nan"), 0
    means = []
    for model in (trained, fit_popularity(trained.graph, 0)):
        best = [best for _, best, _ in rank_assets(model, users, 10, None, include_held=False)]
        lists = Positions(np.concatenate(best))
        values = ndcg(hits_of(lists, bought[users]), bought[users].sum(axis=1), 10)
        means.append(float(values.mean()))
    return means[0], means[1], len(users)


def _bought_since(before: KnowledgeGraph, today: KnowledgeGraph) -> Mask:
    """(investors, assets) of `before`: what those who had positions then have newly bought since."""
    now, then = Interactions(today), Interactions(before)
    rows, columns = now.ever.nonzero()
    fresh = now.since > to_days(before.as_of)
    user = find(today.user_ids[rows[fresh]], before.user_ids)
    asset = find(today.asset_ids[columns[fresh]], before.asset_ids)
    known = (user >= 0) & (asset >= 0)
    found = np.zeros(then.shape, bool)
    found[user[known], asset[known]] = True
    found[np.diff(then.ever.indptr) == 0] = False
    return found
