"""Whom an asset suits: investors ranked by the score that the asset has for them; for staff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model
from pathfolio.recommender.retrieve import CHUNK
from pathfolio.recommender.suitability.gate import Gate


@dataclass(frozen=True)
class Prospect:
    """One investor of an audience; `rank` starts at 1."""

    user_id: str
    name: str
    rank: int
    score: float


def audience(
    model: Model, asset_id: str, k: int = 100, *, include_held: bool = False, gate: Gate | None = None
) -> list[Prospect]:
    """The k investors for whom the asset scores best; who holds or ever held it is left out unless `include_held`.

    Args:
        gate: leaves out those for whom the asset is not suitable.

    Raises:
        UsageError: unknown asset, or k below 1.
    """
    if k < 1:
        raise UsageError(f"an audience of {k}: -k takes 1 or more")
    graph = model.graph
    asset = graph.asset_row(asset_id) - int(graph.assets[0])
    scores = audience_scores(model, asset)
    if not include_held:
        ever = Interactions(graph).ever
        scores[ever[:, [asset]].toarray().ravel() > 0] = -np.inf
    order = np.argsort(-scores, kind="stable")
    ranked = graph.users[order[scores[order] > -np.inf]]
    rows = np.fromiter(islice(_suited(ranked, graph.assets[[asset]], gate), k), np.int64)
    return [
        Prospect(str(graph.nodes.id[row]), graph.display_name(int(row)), rank, float(scores[row - graph.users[0]]))
        for rank, row in enumerate(rows.tolist(), 1)
    ]


def _suited(ranked: IntArray, asset: IntArray, gate: Gate | None) -> Iterator[int]:
    """The rows of investors for whom the gate lets the asset through, in their order."""
    for row in ranked.tolist():
        if gate is None or gate.screen(row, asset).allowed[0]:
            yield row


def audience_scores(model: Model, asset: int) -> FloatArray:
    """(investors,) float64: the score of the asset at position `asset` for every investor."""
    users = np.arange(len(model.graph.users))
    parts = [model.scores(users[start : start + CHUNK])[:, asset] for start in range(0, len(users), CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0)
