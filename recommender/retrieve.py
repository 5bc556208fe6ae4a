"""From scores to lists: the best assets of each investor, without what is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model, Recommendation
from pathfolio.recommender.ranking import id_order, top_lists
from pathfolio.recommender.scorer import Scorer

CHUNK: Final = 2048
"""Investors scored at a time; bounds memory at CHUNK * assets * 8 bytes."""


def user_position(graph: KnowledgeGraph, user_id: str) -> int:
    """Position of an investor among `graph.users`; raises UsageError where there is none."""
    return graph.row(NodeKind.USER, user_id) - int(graph.users[0])


def candidates(graph: KnowledgeGraph, kind: str | None) -> npt.NDArray[np.bool_]:
    """(assets,) bool: the assets of a kind ('stock', 'fund', 'bond'), or all for None.

    Raises:
        UsageError: there is no such kind, or the snapshot has no asset of it.
    """
    if kind is None:
        return np.ones(len(graph.assets), bool)
    if kind not in ASSET_KIND_OF:
        raise UsageError(f"no kind of asset {kind!r}: choose one of {', '.join(ASSET_KIND_OF)}")
    chosen = np.isin(graph.assets, graph.rows(ASSET_KIND_OF[kind]))
    if not chosen.any():
        raise UsageError(f"the snapshot has no {kind}: leave --kind out, or choose another one")
    return chosen


def recommend(
    model: Model, user_id: str, k: int = 10, kind: str | None = None, *, include_held: bool = False
) -> list[Recommendation]:
    """The list of one investor; what they hold or ever held is left out unless `include_held`.

    Raises:
        UsageError: unknown investor or kind, or k below 1.
    """
    graph, user = model.graph, user_position(model.graph, user_id)
    _, [best], [scores] = next(rank_assets(model, np.array([user]), k, kind, include_held=include_held))
    listed = zip(best[best >= 0].tolist(), scores[best >= 0].tolist(), strict=True)
    return [_line(graph, user, asset, rank, score) for rank, (asset, score) in enumerate(listed, 1)]


def rank_assets(
    model: Model, users: IntArray, k: int, kind: str | None, *, include_held: bool
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Chunks of (investor positions (n,), asset positions (n, k), scores (n, k)); -1 and NaN where none is left."""
    if k < 1:
        raise UsageError(f"a list of {k} assets: -k takes 1 or more")
    of_kind, ever, by_id = candidates(model.graph, kind), _interactions(model).ever, id_order(model.graph)
    for start in range(0, len(users), CHUNK):
        chunk = users[start : start + CHUNK]
        scores = model.scores(chunk)
        allowed = np.broadcast_to(of_kind, scores.shape).copy()
        if not include_held:
            allowed &= ever[chunk].toarray() == 0
        best = top_lists(scores, allowed, by_id, k)
        found = np.take_along_axis(scores, np.maximum(best, 0), axis=1)
        yield chunk, best, np.where(best >= 0, found, np.nan)


def _interactions(model: Model) -> Interactions:
    """The model's own where it keeps them: reading them off the graph takes longer than one list."""
    return model.interactions if isinstance(model, Scorer) else Interactions(model.graph)


def _line(graph: KnowledgeGraph, user: int, asset: int, rank: int, score: float) -> Recommendation:
    row = int(graph.assets[asset])
    kind = next(word for word, node_kind in ASSET_KIND_OF.items() if node_kind is graph.kind_of(row))
    user_id = str(graph.nodes.id[graph.users[user]])
    return Recommendation(user_id, str(graph.nodes.id[row]), kind, graph.display_name(row), rank, score)
