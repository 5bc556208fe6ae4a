"""`Portfolio`: what is known of one investor: answers to the questionnaire, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import PROFILE_RELATIONS, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.told import ToldFact, told_investor
from pathfolio.web.site.served import ServedBuild


@dataclass(frozen=True)
class ProfileLevel:
    """One answer: the node that stands for it, and the day it was given.

    `predicted` is True where the source estimated it.
    """

    node: PathNode
    as_of: date
    predicted: bool


@dataclass(frozen=True)
class Holding:
    """An asset that is held: `weight` as a fraction of the portfolio, None where it is not known."""

    asset: PathNode
    weight: float | None
    as_of: date


@dataclass(frozen=True)
class Portfolio:
    """An investor with the largest holdings first; `held_before` counts assets that they held and sold."""

    investor: PathNode
    levels: tuple[ProfileLevel, ...]
    holdings: tuple[Holding, ...]
    held_before: int


def levels_of(served: ServedBuild, row: Row, told: Sequence[ToldFact] = ()) -> tuple[ProfileLevel, ...]:
    """The answers of the investor at `row` that are in force: those of the snapshot, and what was told since."""
    graph = served.graph
    own = told_investor(served.build.scorer, graph.user_span.position(row), told) if told else None
    said = {fact.relation for fact in told}
    out = []
    for relation in PROFILE_RELATIONS:
        if own is not None and relation.value in said:
            answer = own.levels.get(relation)
            if answer is None:
                continue  # taken back
            if (day := own.told.get((relation.value, answer))) is not None:
                out.append(ProfileLevel(served.names.node(answer), day, predicted=False))
                continue
        adjacency = graph.outgoing(relation)
        for edge, node in zip(adjacency.edges_of(row).tolist(), adjacency.of(row).tolist(), strict=True):
            predicted = graph.edges.qualifier[edge] == "predicted"
            out.append(ProfileLevel(served.names.node(node), to_date(graph.edges.as_of[edge]), predicted))
    return tuple(out)


def portfolio_of(served: ServedBuild, row: Row, told: Sequence[ToldFact] = ()) -> Portfolio:
    """What is known of the investor at `row`, with what they told."""
    graph = served.graph
    holds = graph.outgoing(Relation.HOLDS)
    holdings = [
        Holding(served.names.node(asset), _known(graph.edges.weight[edge]), to_date(graph.edges.as_of[edge]))
        for edge, asset in zip(holds.edges_of(row).tolist(), holds.of(row).tolist(), strict=True)
    ]
    holdings.sort(key=lambda holding: (-(holding.weight or 0.0), holding.asset.name))
    held_before = len(graph.outgoing(Relation.HELD).of(row))
    return Portfolio(served.names.node(row), levels_of(served, row, told), tuple(holdings), held_before)


def _known(weight: float) -> float | None:
    return None if np.isnan(weight) else float(weight)
