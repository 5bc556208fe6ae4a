"""From scores to lists: the best assets of each investor, without what is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model, Recommendation
from pathfolio.recommender.ranking import id_order, top_lists
from pathfolio.recommender.scorer import Scorer

CHUNK: Final = 2048
"""Investors scored at a time; bounds memory at CHUNK * assets * 8 bytes."""


def user_position(graph: KnowledgeGraph, user_id: str) -> Position:
    """Position of an investor among `graph.users`; raises UsageError where there is none."""
    return graph.user_span.position(graph.row(NodeKind.USER, user_id))


def asset_position(graph: KnowledgeGraph, asset_id: str) -> Position:
    """Position of an asset among `graph.assets`; raises UsageError where there is none."""
    return graph.asset_span.position(graph.asset_row(asset_id))


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


def rank_for(
    model: Model, user_id: str, k: int = 10, kind: str | None = None, *, include_held: bool = False
) -> list[Recommendation]:
    """What one investor scores highest; no suitability rule is asked, so it is for measuring, not for showing.

    What they hold or ever held is left out unless `include_held`.

    Raises:
        UsageError: unknown investor or kind, or k below 1.
    """
    user = Positions(np.array([user_position(model.graph, user_id)]))
    lines = ranked_lines(model, user, k, kind, include_held=include_held)
    listed = zip(lines.asset.tolist(), lines.rank.tolist(), lines.score.tolist(), strict=True)
    return [Recommendation.of(model.graph, user_id, *line) for line in listed]


@dataclass(frozen=True)
class RankedLines:
    """Lines of many investors' lists, one after the other; all (lines,).

    Attributes:
        user, asset: positions.
        rank: from 1.
        score: of the asset for the investor.
    """

    user: Positions
    rank: IntArray
    asset: Positions
    score: FloatArray


def ranked_lines(
    model: Model, users: Positions, k: int, kind: str | None, *, include_held: bool = False
) -> RankedLines:
    """The lists of `rank_assets` as lines; no suitability rule is asked."""
    empty = np.zeros(0, np.int64)
    parts = [(empty, empty, empty, np.zeros(0))]
    for chunk, best, scores in rank_assets(model, users, k, kind, include_held=include_held):
        line, place = np.nonzero(best >= 0)
        parts.append((chunk[line], place + 1, best[line, place], scores[line, place]))
    user, rank, asset, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    return RankedLines(Positions(user), rank, Positions(asset), score)


def rank_assets(
    model: Model, users: Positions, k: int, kind: str | None, *, include_held: bool
) -> Iterator[tuple[Positions, Positions, FloatArray]]:
    """Chunks of (investor positions (n,), asset positions (n, k), scores (n, k)); -1 and NaN where none is left."""
    if k < 1:
        raise UsageError(f"a list of {k} assets: -k takes 1 or more")
    of_kind = candidates(model.graph, kind)
    ever = _interactions(model).ever
    by_id = id_order(model.graph)
    for start in range(0, len(users), CHUNK):
        chunk = Positions(users[start : start + CHUNK])
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
