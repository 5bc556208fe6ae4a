"""A short questionnaire: what it may ask of a snapshot, and answers as an `AssumedInvestor`.

Five questions need no knowledge of markets: how much risk, what for, for how long, how experienced, and which
industries and types of fund are of interest. Who answers none of them gets the list of a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KINDS, RELATIONS, NodeKind, Relation, Role, attribute_relation, columns_of
from pathfolio.kg.span import Row
from pathfolio.recommender.assumed import INTEREST_KINDS, AssumedInvestor, interest_nodes

QUESTIONS: Final = MappingProxyType(columns_of(Role.PROFILE))
"""Name of the answer, as in the users table, to the relation that states it."""

HORIZON: Final = "horizon"
INTEREST: Final = "interest"
YEARS: Final = (1, 3, 5, 10, 20)
"""Horizons to choose from on a page, in years."""


@dataclass(frozen=True)
class Choices:
    """What a snapshot lets one answer, as rows of nodes.

    Attributes:
        levels: name of the question to its levels, those of most investors first; without questions that have none.
        interests: kind to attribute nodes that assets have, those of most assets first.
    """

    levels: dict[str, tuple[Row, ...]]
    interests: dict[NodeKind, tuple[Row, ...]]


def choices_of(graph: KnowledgeGraph) -> Choices:
    """The questions that can be asked of this snapshot, with their answers."""
    levels = {name: _by_use(graph, relation, RELATIONS[relation].tails) for name, relation in QUESTIONS.items()}
    interests = {kind: _by_use(graph, attribute_relation(kind), (kind,)) for kind in INTEREST_KINDS}
    return Choices(
        {name: rows for name, rows in levels.items() if rows}, {kind: rows for kind, rows in interests.items() if rows}
    )


def _by_use(graph: KnowledgeGraph, relation: Relation, kinds: Iterable[NodeKind]) -> tuple[Row, ...]:
    """Rows of the nodes of the kinds that investors or assets lead to, the most used first, then by id."""
    at = graph.edges_between(relation)
    heads = np.concatenate([graph.users, graph.rows(*ASSET_KINDS)])
    uses = np.bincount(graph.edges.tail[at][np.isin(graph.edges.head[at], heads)], minlength=len(graph))
    rows = [row for row in graph.rows(*kinds).tolist() if uses[row]]
    return tuple(sorted(rows, key=lambda row: (-uses[row], row)))


def read_profile(text: str) -> list[tuple[str, str]]:
    """The answers of `--profile`: NAME=VALUE, separated by commas; a value may have commas of its own.

    Raises:
        UsageError: something stands there without a name.

    >>> read_profile("risk_level=Aggressive,interest=Oil, Gas & Coal,interest=Banks")
    [('risk_level', 'Aggressive'), ('interest', 'Oil, Gas & Coal'), ('interest', 'Banks')]
    """
    parts = [part.partition("=") for part in re.split(r",(?=\s*\w+\s*=)", text)]
    for name, equals, _ in parts:
        if not equals:
            raise UsageError(f"--profile {name!r}: write NAME=VALUE, separated by commas, as in risk_level=Balanced")
    return [(name.strip(), value.strip()) for name, _, value in parts]


def answered(
    graph: KnowledgeGraph, answers: Iterable[tuple[str, str]], investor: AssumedInvestor | None = None
) -> AssumedInvestor:
    """`investor` (a stranger, if not given) with these answers; an empty value takes an answer away.

    Args:
        answers: pairs of a name of `QUESTIONS`, `horizon` (years) or `interest` (an industry, sector or category),
            which may stand several times, and the answer.

    Raises:
        UsageError: no such question, or no such answer in the snapshot; it names those that there are.
    """
    found = investor or AssumedInvestor()
    for name, value in answers:
        if name == INTEREST:
            nodes = interest_nodes(graph, value)
            found = replace(found, interests=tuple(dict.fromkeys((*found.interests, *nodes))))
        elif name == HORIZON:
            found = replace(found, years=_years(value))
        elif name in QUESTIONS:
            found = found.with_answers({QUESTIONS[name]: _level(graph, name, value) if value else None})
        else:
            known = ", ".join((*QUESTIONS, HORIZON, INTEREST))
            raise UsageError(f"no question {name!r} in the questionnaire: choose from {known}")
    return found


def _level(graph: KnowledgeGraph, name: str, value: str) -> Row:
    rows = graph.rows(*RELATIONS[QUESTIONS[name]].tails).tolist()
    by_name: Mapping[str, Row] = {str(graph.nodes.id[row]).casefold(): row for row in rows}
    if value.casefold() not in by_name:
        there = ", ".join(str(graph.nodes.id[row]) for row in rows) or "none: nobody has answered it in these data"
        raise UsageError(f"{name} {value!r} is no level of this snapshot: choose from {there}")
    return by_name[value.casefold()]


def _years(value: str) -> float | None:
    try:
        years = float(value) if value else None
    except ValueError:
        years = -1.0
    if years is not None and not 0 < years <= 100:
        raise UsageError(f"horizon {value!r} is no number of years: write one between 0 and 100")
    return years
