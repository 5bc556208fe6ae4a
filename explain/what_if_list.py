"""Lists for an investor as they might be: each line explained, with the place that it had before.

The edges that only the question assumes (assets followed, levels changed, interests named) carry `ASSUMED` as their
source and the snapshot's date, so that nobody takes them for facts; what the investor told carries `TOLD` and its day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np

from pathfolio.explain.early import EarlyBuyers
from pathfolio.explain.evidence import FOLLOWS, INTERESTED_IN, USER, PathEdge, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import Investor, Lookups
from pathfolio.explain.reasons.choose import add_reasons
from pathfolio.explain.shortlist import Shortlist
from pathfolio.explain.tracer import Tracer
from pathfolio.explain.wording import LANGUAGES, wording_of
from pathfolio.kg.graph import IntArray
from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import CHOICES, Relation
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.recommender.assumed import NOBODY, AssumedInvestor, AssumedScore
from pathfolio.recommender.build import Build
from pathfolio.recommender.ranking import id_order
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.investor import ASSUMED, TOLD

MOST_RISERS: Final = 5
RISERS_WITHIN: Final = 100
"""Assets below the list that climb are shown down to this place."""


@dataclass(frozen=True)
class Move:
    """An asset's place after the change and before it, each from 1; `was` is 0 where it was not to be listed."""

    asset: Position
    rank: int
    was: int

    @property
    def climb(self) -> float:
        """How many times nearer to the top it came."""
        return self.was / self.rank if self.was else 0.0


@dataclass(frozen=True)
class AssumedLine:
    """One line of the new list.

    Attributes:
        from_assumed: what paths that begin with something followed, assumed or named add to the score.
    """

    move: Move
    score: float
    explanation: Explanation
    from_assumed: float


@dataclass(frozen=True)
class AssumedList:
    """The answer to one question.

    Attributes:
        lines: the new list, best first.
        risers: further assets that climbed most, the largest climb first.
        left: what stood on the old list and is not on the new one; `rank` 0 where it may no longer be listed.
        shortlist: all candidates, and what the rules make of them for the investor as assumed.
    """

    lines: tuple[AssumedLine, ...]
    risers: tuple[Move, ...]
    left: tuple[Move, ...]
    shortlist: Shortlist = field(compare=False, repr=False)


class WhatIfDesk:
    """Answers what-if questions of one build; keep it, since it remembers what it looked up. Safe between threads."""

    def __init__(self, build: Build, gate: Gate) -> None:
        """Look nothing up yet; nothing is listed that `gate` does not let through."""
        self.build = build
        self.gate = gate
        self._lock = Lock()

    @cached_property
    def _tracer(self) -> Tracer:
        return Tracer(self.build.graph, self.build.build_hash)

    @cached_property
    def _lookups(self) -> Lookups:
        rules = self.gate.assets.rules
        scorer = self.build.scorer
        return Lookups(self._tracer, rules if rules.ratings else None, scorer.groups, scorer.options.demand.momentum)

    @cached_property
    def _by_id(self) -> Positions:
        return id_order(self.build.graph)

    def answer(
        self,
        asked: AssumedInvestor,
        before: AssumedInvestor | None,
        k: int,
        kind: str | None,
        langs: Sequence[str],
        *,
        gate: Gate | None = None,
    ) -> AssumedList:
        """The list of `asked`, beside that of `before` (None: there was none).

        Args:
            gate: the rules on the day of asking; on the snapshot's own day, if not given.

        Raises:
            UsageError: there is no such kind, or no asset of it.
        """
        score = AssumedScore(self.build.scorer, asked)
        gate = gate or self.gate
        new = self._shortlist(score, kind, gate)
        old = None if before is None else self._shortlist(AssumedScore(self.build.scorer, before), kind, gate)
        with self._lock:
            lines = self._lines(score, new.suitable[:k].tolist(), old, langs)
        if old is None:
            return AssumedList(lines, (), (), new)
        shown = {line.move.asset for line in lines}
        left = tuple(_move(asset, new, old) for asset in old.suitable[:k].tolist() if asset not in shown)
        return AssumedList(lines, _risers(new, old, k), left, new)

    def explain(self, investor: AssumedInvestor, asset: Position, rank: int, langs: Sequence[str]) -> Explanation:
        """Why the asset has its score for the investor; `rank` is its place in the list, 0 for none."""
        with self._lock:
            return self._explained(AssumedScore(self.build.scorer, investor), [(rank, asset)], langs)[0]

    def _shortlist(self, score: AssumedScore, kind: str | None, gate: Gate) -> Shortlist:
        eligible = score.investor.eligible(self.build.graph, kind)
        screening = score.investor.screened(gate, self.build.graph.asset_span.row(Positions(np.flatnonzero(eligible))))
        return Shortlist.of(score.scores(), eligible, screening, self._by_id)

    def _lines(
        self, score: AssumedScore, shown: list[Position], old: Shortlist | None, langs: Sequence[str]
    ) -> tuple[AssumedLine, ...]:
        lines = []
        ranked = list(enumerate(shown, 1))
        for (rank, asset), found in zip(ranked, self._explained(score, ranked, langs), strict=True):
            carried = sum(path.contribution for path in found.paths if path.edges[0].source == ASSUMED)
            move = Move(asset, rank, 0 if old is None else int(old.places[asset]))
            lines.append(AssumedLine(move, found.score, found, carried))
        return tuple(lines)

    def _explained(
        self, score: AssumedScore, ranked: Sequence[tuple[int, Position]], langs: Sequence[str]
    ) -> list[Explanation]:
        tracer = AssumedTracer(self._tracer, score.investor)
        lookups = AssumedLookups(self._lookups, tracer, score.investor)
        out = []
        for rank, asset in ranked:
            account = score.account(asset)
            out.append(add_reasons(tracer.trace(account, rank), account.user, account.asset, lookups, langs))
        return out


def _move(asset: Position, new: Shortlist, old: Shortlist) -> Move:
    return Move(asset, int(new.places[asset]), int(old.places[asset]))


def _risers(new: Shortlist, old: Shortlist, k: int) -> tuple[Move, ...]:
    """What climbed most below the list."""
    moves = (_move(asset, new, old) for asset in new.suitable[k:RISERS_WITHIN].tolist())
    rising = [move for move in moves if move.was > move.rank]
    return tuple(sorted(rising, key=lambda move: (-move.climb, move.rank))[:MOST_RISERS])


class AssumedTracer(Tracer):
    """A tracer that takes what the investor only assumes for edges of its own; it shares what `base` has seen."""

    def __init__(self, base: Tracer, investor: AssumedInvestor) -> None:
        """Look nothing up yet."""
        super().__init__(base.graph, base.build_hash)
        self.share_with(base)
        self._investor = investor
        self._edges: dict[tuple[str, Row], str] = {}
        for asset in investor.followed - investor.held - investor.dismissed:
            self._edges[Relation.HOLDS, base.graph.asset_span.row(asset)] = FOLLOWS
        for node in investor.interests:
            self._edges[Relation.SEEKS, node] = INTERESTED_IN
        for relation, level in investor.levels.items():
            told = (relation.value, level) in investor.told
            if told or investor.row == NOBODY or base.graph.edge(investor.row, relation, level) is None:
                self._edges[relation, level] = relation.value

    def node(self, row: Row) -> PathNode:
        """The node at `row`; somebody whom the graph does not have is called "you"."""
        if row != NOBODY:
            return super().node(row)
        return PathNode("", USER, Names({lang: wording_of(lang).you for lang in LANGUAGES}))

    def step(self, start: Row, relation: str, end: Row) -> PathEdge:
        """An assumed edge, or one of the graph."""
        named = self._edges.get((relation, end)) if start == self._investor.row else None
        if named is None:
            return super().step(start, relation, end)
        told = self._investor.told.get((named, end))
        stated = named in CHOICES and start != NOBODY and self.graph.edge(start, Relation(named), end) is not None
        if told is None and stated:
            return super().step(start, named, end)
        head = self.node(start).id
        tail = str(self.graph.nodes.id[end])
        source, day = (ASSUMED, self.graph.as_of) if told is None else (TOLD, told)
        return PathEdge(head, named, tail, None, source, day, day)


class NoPurchases(EarlyBuyers):
    """Of somebody whom the graph does not have: they bought nothing early."""

    def of(self, user: Row, other_than: Row) -> int:
        """None."""
        return 0


class AssumedLookups(Lookups):
    """Lookups that know the assumed investor; figures of assets are those of `base`."""

    def __init__(self, base: Lookups, tracer: AssumedTracer, investor: AssumedInvestor) -> None:
        """Look nothing up yet."""
        super().__init__(tracer, base.rules, base.groups, base.momentum)
        self.facts = base.facts
        self.claims_of_asset = base.claims_of_asset
        self.early = base.early if investor.row != NOBODY else NoPurchases(base.groups)
        self._base = base
        self._assumed = investor

    def label_of(self, relation: Relation) -> IntArray:
        """As of `base`."""
        return self._base.label_of(relation)

    def investor(self, row: Row) -> Investor:
        """What is held now, without what is dismissed; levels only where the graph states them or they were told."""
        if row == NOBODY:
            return Investor(row, ())
        stated = self._base.investor(row)
        holdings = tuple(
            row for row in stated.holdings if self.graph.asset_span.position(row) not in self._assumed.dismissed
        )
        levels = set(self._assumed.levels.values())
        profile = {relation: found for relation, found in stated.profile.items() if found[1] in levels}
        told = {
            relation: day
            for relation in (Relation.HAS_RISK, Relation.SEEKS)
            if relation in self._assumed.levels
            and (day := self._assumed.told.get((relation.value, self._assumed.levels[relation]))) is not None
        }
        profile |= {relation: (-1, self._assumed.levels[relation]) for relation in told}
        return Investor(row, holdings, profile, told)
