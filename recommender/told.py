"""`ToldFact`: what investors tell of themselves: answers, interests, assets that they follow or dismiss.

Each is a dated fact. It changes the teller's own list at once, as an assumption does (`pathfolio.recommender.assumed`);
of others' lists nothing, until a build has it among its relations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph, to_date
from pathfolio.kg.schema import PROFILE_RELATIONS, RELATIONS, Relation
from pathfolio.kg.span import Position, Row
from pathfolio.recommender.assumed import YEARS, AssumedInvestor, interest_nodes
from pathfolio.recommender.retrieve import asset_position
from pathfolio.recommender.scorer import Scorer

YEARS_KEY: Final = (YEARS, Row(-1))
LEVELS: Final = frozenset(relation.value for relation in PROFILE_RELATIONS if RELATIONS[relation].is_level)
"""Answers; a segment, by which rules may not apply, is nothing that an investor tells."""
_OPPOSITE: Final = MappingProxyType(
    {Relation.FOLLOWS.value: Relation.DISMISSES.value, Relation.DISMISSES.value: Relation.FOLLOWS.value}
)


@dataclass(frozen=True)
class ToldFact:
    """One thing that an investor told, or took back.

    Attributes:
        relation: FOLLOWS, DISMISSES, INTERESTED_IN, a relation of profiles, or `YEARS`.
        target: id of the asset, of the attribute or of the level, or the number of years; empty where an answer was
            taken back.
        day: on which it was told.
        stands: False where it was taken back.
        entry: id of the ledger's entry that says it.
    """

    relation: str
    target: str
    day: date
    stands: bool = True
    entry: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What a later fact replaces: of answers there is one at a time, of all else one per target."""
        return (self.relation, "" if self.relation in LEVELS or self.relation == YEARS else self.target)


def newest(facts: Iterable[ToldFact]) -> tuple[ToldFact, ...]:
    """Of facts in the order in which they were told, the last of each; following ends a dismissal, and the reverse.

    >>> day = date(2026, 6, 30)
    >>> found = newest([ToldFact("FOLLOWS", "A", day), ToldFact("DISMISSES", "A", day)])
    >>> [(fact.relation, fact.stands) for fact in found]
    [('FOLLOWS', False), ('DISMISSES', True)]
    """
    last: dict[tuple[str, str], ToldFact] = {}
    for fact in facts:
        last[fact.key] = fact
        other = (_OPPOSITE.get(fact.relation, ""), fact.target)
        if fact.stands and other in last:
            last[other] = replace(last[other], stands=False, day=fact.day, entry=fact.entry)
    return tuple(last.values())


def told_investor(scorer: Scorer, user: Position, facts: Iterable[ToldFact] = ()) -> AssumedInvestor:
    """The investor at position `user` with what the snapshot knows them to have chosen, and `facts` over that.

    What the snapshot does not have (an asset that is gone, a level that nobody has any more) is passed over; so is an
    answer that is older than the one in the snapshot.
    """
    found = AssumedInvestor.of(scorer, user)
    for fact in newest(facts):
        found = _with(scorer.graph, found, fact)
    return found


def told_named(scorer: Scorer, user_id: str, facts: Iterable[ToldFact] = ()) -> AssumedInvestor:
    """The investor with this id; a stranger where it is empty. UsageError where there is none."""
    found = AssumedInvestor.named(scorer, user_id)
    return found if not user_id else told_investor(scorer, scorer.graph.user_span.position(found.row), facts)


def _with(graph: KnowledgeGraph, investor: AssumedInvestor, fact: ToldFact) -> AssumedInvestor:
    if fact.relation == YEARS:
        years = float(fact.target) if fact.target and fact.stands else None
        told = {**investor.told, YEARS_KEY: fact.day} if years else _less(investor, YEARS_KEY)
        return replace(investor, years=years, told=told)
    try:
        if fact.relation in LEVELS:
            return _with_level(graph, investor, fact)
        if fact.relation == Relation.INTERESTED_IN:
            return _with_interest(graph, investor, fact)
        if fact.relation in _OPPOSITE:
            return _with_asset(graph, investor, fact)
    except UsageError:
        pass  # the snapshot does not have it
    return investor


def _less(investor: AssumedInvestor, *keys: tuple[str, Row]) -> dict[tuple[str, Row], date]:
    return {key: day for key, day in investor.told.items() if key not in keys}


def _with_level(graph: KnowledgeGraph, investor: AssumedInvestor, fact: ToldFact) -> AssumedInvestor:
    relation = Relation(fact.relation)
    edges = graph.outgoing(relation).edges_of(investor.row)
    if len(edges) and to_date(graph.edges.as_of[int(edges[0])]) > fact.day:
        return investor
    if not fact.target:
        return investor.with_answers({relation: None})
    found = (graph.find(kind, fact.target) for kind in RELATIONS[relation].tails)
    row = next((row for row in found if row is not None), None)
    if row is None:
        return investor
    changed = investor.with_answers({relation: row})
    if len(edges) and graph.edges.tail[int(edges[0])] == row and to_date(graph.edges.as_of[int(edges[0])]) == fact.day:
        return changed  # the snapshot states it
    return replace(changed, told={**investor.told, (relation.value, row): fact.day})


def _with_interest(graph: KnowledgeGraph, investor: AssumedInvestor, fact: ToldFact) -> AssumedInvestor:
    nodes = interest_nodes(graph, fact.target)
    keys = [(fact.relation, node) for node in nodes]
    rest = tuple(node for node in investor.interests if node not in nodes)
    if not fact.stands:
        return replace(investor, interests=rest, told=_less(investor, *keys))
    told = {**investor.told, **dict.fromkeys(keys, fact.day)}
    return replace(investor, interests=tuple(dict.fromkeys((*investor.interests, *nodes))), told=told)


def _with_asset(graph: KnowledgeGraph, investor: AssumedInvestor, fact: ToldFact) -> AssumedInvestor:
    asset = asset_position(graph, fact.target)
    row = graph.asset_span.row(asset)
    keys = [(relation, row) for relation in (Relation.FOLLOWS.value, Relation.DISMISSES.value)]
    if not fact.stands:
        told = _less(investor, (fact.relation, row))
    else:
        told = {**_less(investor, *keys), (fact.relation, row): fact.day}
    one = frozenset({asset})
    if fact.relation == Relation.FOLLOWS:
        followed = investor.followed | one if fact.stands else investor.followed - one
        return replace(investor, followed=followed, dismissed=investor.dismissed - one, told=told)
    dismissed = investor.dismissed | one if fact.stands else investor.dismissed - one
    followed = investor.followed - one if fact.stands else investor.followed
    return replace(investor, followed=followed, dismissed=dismissed, told=told)
