"""Explainers of the graph attention channel side by side: our paths, gradient x input, GNNExplainer, and chance.

The channel's score of a pair is c * sum over holdings h of <f_h, f_a>, with f_x the sum over x's edges to nodes n of
weight(x, n) * base(n). An explainer gives each edge (investor to holding, holding to node, asset to node) an
importance; an edge is deleted by taking its term out, with the attention of the others as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.explain.evaluation.faithfulness import OURS, RANDOM, SHARES
from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.channels.learned import LearnedCloseness
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows

GRADIENT: Final = "gradient x input"
GNN_EXPLAINER: Final = "GNNExplainer"


@dataclass(frozen=True)
class EdgeScore:
    """One pair's score as a function of its edges.

    Attributes:
        factor: c.
        holding: (p,) int64, which of the h holdings each edge to a node starts from.
        weight, base: (p,) and (p, d) float64 of the holdings' edges.
        node: (p,) int64, the node that each leads to.
        asset_weight, asset_base, asset_node: the same of the asset's q edges.
        holdings: h.

    The edges are numbered: h from the investor, then p from holdings, then q from the asset.
    """

    factor: float
    holdings: int
    holding: IntArray
    weight: FloatArray
    base: FloatArray
    node: IntArray
    asset_weight: FloatArray
    asset_base: FloatArray
    asset_node: IntArray

    @property
    def size(self) -> int:
        """Number of edges."""
        return self.holdings + len(self.weight) + len(self.asset_weight)

    def parts(self, mask: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The mask's values on the three groups of edges."""
        first, second = self.holdings, self.holdings + len(self.weight)
        return mask[:first], mask[first:second], mask[second:]

    def value(self, mask: FloatArray) -> float:
        """The score with each edge's term multiplied by `mask` (edges,)."""
        own, near, far = self.parts(mask)
        left = (own[self.holding] * near * self.weight) @ self.base
        return float(self.factor * left @ ((far * self.asset_weight) @ self.asset_base))

    def gradient(self, mask: FloatArray) -> FloatArray:
        """(edges,) derivative of `value` by `mask`."""
        own, near, far = self.parts(mask)
        right = (far * self.asset_weight) @ self.asset_base
        each = near * self.weight * (self.base @ right)
        left = (own[self.holding] * near * self.weight) @ self.base
        by_own = np.bincount(self.holding, weights=each, minlength=self.holdings)
        by_near = own[self.holding] * self.weight * (self.base @ right)
        return self.factor * np.concatenate([by_own, by_near, self.asset_weight * (self.asset_base @ left)])


def edge_score(channel: LearnedCloseness, investor: InvestorRows, asset: Position) -> EdgeScore | None:
    """The pair's score by edges; None where the investor holds nothing else or the channel has no pull on the asset."""
    held = investor.ever.indices[investor.ever.indptr[0] : investor.ever.indptr[1]]
    held = held[held != asset]
    walks = channel.propagation.walks
    base = np.asarray(channel.propagation.base, np.float64)
    if not len(held) or not channel.pull[asset]:
        return None
    counts = walks.indptr[held + 1] - walks.indptr[held]
    at = np.concatenate([np.arange(walks.indptr[h], walks.indptr[h + 1]) for h in held])
    theirs = slice(walks.indptr[asset], walks.indptr[asset + 1])
    return EdgeScore(
        factor=float(channel.pull[asset] * investor.scale[0, 0]),
        holdings=len(held),
        holding=np.repeat(np.arange(len(held)), counts),
        weight=walks.data[at].astype(np.float64),
        base=base[walks.indices[at]],
        node=walks.indices[at].astype(np.int64),
        asset_weight=walks.data[theirs].astype(np.float64),
        asset_base=base[walks.indices[theirs]],
        asset_node=walks.indices[theirs].astype(np.int64),
    )


# -- explainers ----------------------------------------------------------------------------------------------


def by_paths(score: EdgeScore, rng: np.random.Generator) -> FloatArray:
    """(edges,) the sum of the contributions of the closed walks through each edge, as the account lays them out."""
    del rng
    place = {node: at for at, node in enumerate(score.asset_node.tolist())}
    match = np.array([place.get(node, -1) for node in score.node.tolist()], np.int64)
    hit = match >= 0
    part = np.zeros(len(score.node))
    length = np.einsum("nd,nd->n", score.base, score.base)
    part[hit] = score.factor * (score.weight * length)[hit] * score.asset_weight[match[hit]]
    own = np.bincount(score.holding, weights=part, minlength=score.holdings)
    far = np.bincount(match[hit], weights=part[hit], minlength=len(score.asset_node))
    return np.concatenate([own, part, far])


def by_gradient(score: EdgeScore, rng: np.random.Generator) -> FloatArray:
    """(edges,) gradient times input; the input is a mask of ones."""
    del rng
    return score.gradient(np.ones(score.size))


def by_gnn_explainer(score: EdgeScore, rng: np.random.Generator) -> FloatArray:
    """(edges,) the learned soft mask of GNNExplainer.

    Ying et al., "GNNExplainer: Generating Explanations for Graph Neural Networks", NeurIPS 2019, for a regression:
    squared error of the masked score + 0.005 * sum of the mask + its mean entropy, 100 steps of Adam at 0.01, as in
    the common implementations; the error is relative to the score.
    """
    whole = score.value(np.ones(score.size))
    theta = rng.normal(scale=0.1, size=score.size)
    first, second = np.zeros(score.size), np.zeros(score.size)
    for step in range(1, 101):
        mask = 1 / (1 + np.exp(-theta))
        error = 2 * (score.value(mask) - whole) / whole**2 * score.gradient(mask)
        entropy = np.log((1 - mask) / mask) / score.size
        slope = (error + 0.005 + entropy) * mask * (1 - mask)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        theta = theta - 0.01 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return 1 / (1 + np.exp(-theta))


def by_chance(score: EdgeScore, rng: np.random.Generator) -> FloatArray:
    """(edges,) random importances, the floor."""
    return rng.random(score.size)


EXPLAINERS: Final = MappingProxyType(
    {OURS: by_paths, GRADIENT: by_gradient, GNN_EXPLAINER: by_gnn_explainer, RANDOM: by_chance}
)


# -- comparison ----------------------------------------------------------------------------------------------


def compare_on_channel(
    channel: LearnedCloseness, interactions: Interactions, pairs: Sequence[tuple[Position, Position]], *, seed: int = 0
) -> pd.DataFrame:
    """How much of the channel's score goes when each explainer's first edges are deleted.

    Args:
        pairs: investors and assets; those for which the channel does not speak are left out.

    Returns:
        One row per explainer: explainer, items, drop of 1, drop of 3 (shares of the score), deletion area (the mean
        of what is left over all shares of edges; lower is better).
    """
    rng = np.random.default_rng(seed)
    rows = []
    for user, asset in pairs:
        score = edge_score(channel, InvestorRows.of(interactions, Positions(np.array([user]))), asset)
        if score is None or score.value(np.ones(score.size)) <= 1e-12:
            continue
        rows += [(name, *_deletion(score, explain(score, rng))) for name, explain in EXPLAINERS.items()]
    table = pd.DataFrame(rows, columns=["explainer", "drop of 1", "drop of 3", "deletion area"])
    means = table.groupby("explainer", sort=False).mean()
    return means.assign(items=len(table) // len(EXPLAINERS)).reset_index()


def _deletion(score: EdgeScore, importance: FloatArray) -> tuple[float, float, float]:
    order = np.argsort(-importance, kind="stable")
    whole = score.value(np.ones(score.size))

    def left(count: int) -> float:
        mask = np.ones(score.size)
        mask[order[:count]] = 0.0
        return score.value(mask) / whole

    curve = [left(round(share * score.size)) for share in SHARES]
    return 1 - left(1), 1 - left(3), float(np.trapezoid(curve, SHARES))
