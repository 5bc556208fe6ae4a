"""Whom an asset suits: investors ranked by the score that the asset has for them; for staff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.kg.span import Position, Positions, Row, Rows
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model
from pathfolio.recommender.retrieve import CHUNK, asset_position
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
    asset = asset_position(graph, asset_id)
    scores = audience_scores(model, asset)
    if not include_held:
        ever = Interactions(graph).ever
        scores[ever[:, [asset]].toarray().ravel() > 0] = -np.inf
    order = np.argsort(-scores, kind="stable")
    ranked = graph.user_span.row(Positions(order[scores[order] > -np.inf]))
    rows = islice(_suited(ranked, graph.asset_row(asset_id), gate), k)
    return [
        Prospect(str(graph.nodes.id[row]), graph.display_name(row), rank, float(scores[graph.user_span.position(row)]))
        for rank, row in enumerate(rows, 1)
    ]


def _suited(ranked: Rows, asset: Row, gate: Gate | None) -> Iterator[Row]:
    """The rows of investors for whom the gate lets the asset through, in their order."""
    for row in ranked.tolist():
        if gate is None or gate.screen(row, Rows(np.array([asset]))).allowed[0]:
            yield row


def audience_scores(model: Model, asset: Position) -> FloatArray:
    """(investors,) float64: the score of the asset at position `asset` for every investor."""
    users = model.graph.user_span.positions
    chunks = (Positions(users[start : start + CHUNK]) for start in range(0, len(users), CHUNK))
    parts = [model.scores(chunk)[:, asset] for chunk in chunks]
    return np.concatenate(parts) if parts else np.zeros(0)
