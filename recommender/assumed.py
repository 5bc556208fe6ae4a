"""`AssumedInvestor`: an investor as they might be, scored at once: nothing is trained, only their own row changes.

What is followed counts as if it were held, and once more as if it were all that is held, so that it is seen beside
many holdings. What is dismissed leaves the list, and speaks for nothing any more. An interest in an industry, sector
or category adds a term of its own, on the walk investor - attribute - asset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp
from msgspec import structs

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import RELATIONS, Relation, Use, attribute_relation, profile_relation
from pathfolio.kg.span import Position, Positions, Row, Rows
from pathfolio.recommender.account import ChannelAccount, ScoreAccount, Walk
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.retrieve import asset_position, candidates, user_position
from pathfolio.recommender.scorer import Scorer
from pathfolio.recommender.suitability.gate import Gate, Screening
from pathfolio.recommender.suitability.investor import InvestorFacts, InvestorLevel
from pathfolio.recommender.suitability.investor_profile import investor_facts
from pathfolio.recommender.suitability.kinds import LEVEL_RELATIONS
from pathfolio.recommender.suitability.kinds.horizon import HorizonRule
from pathfolio.recommender.suitability.verdict import Outcome

NOBODY: Final = Row(-2)
"""The row of an investor whom the graph does not have (-1 stands for other investors)."""

EMPHASIS: Final = 1.0
"""How often what is followed counts as if it were all that is held."""

YEARS: Final = "YEARS"
"""For how long the money can stay invested, among what is told; no relation, since no node stands for it."""

INTEREST: Final = "interest"
INTEREST_KINDS: Final = tuple(RELATIONS[r].tails[0] for r in Relation if Use.INTEREST in RELATIONS[r].uses)
INTEREST_WEIGHT: Final = 0.05
"""What an interest adds to the first of the assets that have it: about the pull of a new issue, well above a
profile's lifts."""
INTEREST_HALF: Final = 100
"""It adds half of that to the asset at this place, by what is the same for everybody: several interests share a list
instead of the largest filling it."""


@dataclass(frozen=True)
class AssumedInvestor:
    """An investor's own row, changed or made up. Assets are positions, nodes are rows.

    Attributes:
        row: of the investor in the snapshot, `NOBODY` for one that it does not have.
        held: assets held now or before.
        followed: further assets that count as held.
        dismissed: assets that are not listed and speak for nothing.
        levels: relation to the level stated or assumed.
        interests: attribute nodes, of `INTEREST_KINDS`.
        years: for how long the money can stay invested; None as the rules read it from the objective.
        told: of what the investor told and no edge of the snapshot states, the day: by relation and row; all else is
            assumed.
    """

    row: Row = NOBODY
    held: frozenset[Position] = frozenset()
    followed: frozenset[Position] = frozenset()
    dismissed: frozenset[Position] = frozenset()
    levels: Mapping[Relation, Row] = field(default_factory=dict)
    interests: tuple[Row, ...] = ()
    years: float | None = None
    told: Mapping[tuple[str, Row], date] = field(default_factory=dict)

    @staticmethod
    def of(scorer: Scorer, user: Position) -> AssumedInvestor:
        """The investor at position `user` as the snapshot has them."""
        ever = scorer.interactions.ever
        profile = scorer.interactions.profile
        held = ever.indices[ever.indptr[user] : ever.indptr[user + 1]].tolist()
        nodes = profile.indices[profile.indptr[user] : profile.indptr[user + 1]].tolist()
        levels = {profile_relation(scorer.graph.kind_of(node)): node for node in nodes}
        graph, row = scorer.graph, scorer.graph.user_span.row(user)
        followed, dismissed = (
            frozenset(graph.asset_span.position(graph.outgoing(of).of(row)).tolist())
            for of in (Relation.FOLLOWS, Relation.DISMISSES)
        )
        interests = tuple(graph.outgoing(Relation.INTERESTED_IN).of(row).tolist())
        return AssumedInvestor(row, frozenset(held), followed - dismissed, dismissed, levels, interests)

    @staticmethod
    def named(scorer: Scorer, user_id: str) -> AssumedInvestor:
        """The investor with this id as they are; a stranger where it is empty. UsageError where there is none."""
        return AssumedInvestor.of(scorer, user_position(scorer.graph, user_id)) if user_id else AssumedInvestor()

    def choosing(self, graph: KnowledgeGraph, follow: Iterable[str], dismiss: Iterable[str]) -> AssumedInvestor:
        """Following and dismissing the assets with these ids; what is dismissed is not followed.

        Raises:
            UsageError: there is no such asset.
        """
        followed, dismissed = (frozenset(asset_position(graph, name) for name in names) for names in (follow, dismiss))
        return replace(
            self,
            followed=(self.followed | followed) - dismissed,
            dismissed=(self.dismissed - (followed - dismissed)) | dismissed,
        )

    @property
    def has_chosen(self) -> bool:
        """Whether their list is another one than positions and the snapshot's answers alone give."""
        return bool(self.followed or self.dismissed or self.interests or self.years is not None or self.told)

    def with_answers(
        self, levels: Mapping[Relation, Row | None], dismissed: frozenset[Position] = frozenset()
    ) -> AssumedInvestor:
        """With other answers (None takes one away), and without these assets."""
        merged = {**self.levels, **levels}
        given = {relation: row for relation, row in merged.items() if row is not None}
        return replace(self, levels=given, dismissed=self.dismissed | dismissed)

    @property
    def taken(self) -> Positions:
        """Positions of what counts as held, ascending."""
        return Positions(np.array(sorted((self.held | self.followed) - self.dismissed), np.int64))

    def rows(self, graph: KnowledgeGraph) -> InvestorRows:
        """The one row that the channels score."""
        return rows_of([self], graph)

    def eligible(self, graph: KnowledgeGraph, kind: str | None) -> Mask:
        """(assets,) bool: what the list could hold, before the rules: not held, followed or dismissed.

        Raises:
            UsageError: there is no such kind, or no asset of it.
        """
        eligible = candidates(graph, kind).copy()
        eligible[sorted(self.held | self.followed | self.dismissed)] = False
        return eligible

    def screened(self, gate: Gate, asset_rows: Rows) -> Screening:
        """The rules' findings about the assets at `asset_rows` for the investor as assumed."""
        screening = gate.screen_facts(self.facts(gate), asset_rows)
        if self.years is None:
            return screening
        # Said in years, so what should be held longer is not only warned of.
        effects = screening.effects.copy()
        rules = [row for row, rule in enumerate(gate.assets.rules.rules) if isinstance(rule, HorizonRule)]
        effects[rules] = np.where(effects[rules] >= Outcome.WARN, np.int8(Outcome.REJECT), effects[rules])
        return replace(screening, effects=effects)

    def facts(self, gate: Gate) -> InvestorFacts:
        """The investor as suitability rules see them; assumed levels are as good as stated ones."""
        rules = gate.assets.rules
        graph = gate.assets.graph
        none = np.zeros(0, np.int64)
        stated = InvestorFacts(self.row, {}, None, Positions(none), none, np.zeros(0), "none")
        if self.row != NOBODY:
            stated = investor_facts(gate.assets, self.row)
        levels = {}
        for table, relation in LEVEL_RELATIONS.items():
            name = str(graph.nodes.id[self.levels[relation]]) if relation in self.levels else ""
            if name:
                found = stated.levels.get(table)
                limit = rules.levels[table].get(name.casefold())
                day = self.told.get((relation.value, self.levels[relation]))
                if found is None or found.name != name or day is not None:
                    found = InvestorLevel(name, relation, -1, limit, told=day)
                levels[table] = found
        if self.years is not None:
            day = next((day for (word, _), day in self.told.items() if word == YEARS), None)
            levels[HorizonRule.table] = InvestorLevel("", HorizonRule.relation, -1, self.years, told=day)
        return replace(stated, levels=levels)


def rows_of(investors: Sequence[AssumedInvestor], graph: KnowledgeGraph) -> InvestorRows:
    """A row for each of the investors, as the channels score them."""
    ever = _ones([investor.taken.tolist() for investor in investors], len(graph.assets))
    profile = _ones([sorted(investor.levels.values()) for investor in investors], len(graph))
    return InvestorRows(ever, profile, Rows(np.array([investor.row for investor in investors], np.int64)))


def _ones(columns: Sequence[Sequence[int]], width: int) -> sp.csr_array:
    """(rows, width) ones in the given columns of each row, ascending; 0 elsewhere."""
    indptr = np.cumsum([0, *map(len, columns)])
    indices = np.array([column for row in columns for column in row], np.int64)
    return sp.csr_array((np.ones(len(indices)), indices, indptr), (len(columns), width))


@dataclass(frozen=True)
class AssumedScore:
    """The served score of an assumed investor: nothing is trained, and only one row is made anew."""

    scorer: Scorer
    investor: AssumedInvestor

    @cached_property
    def _row(self) -> InvestorRows:
        return self.investor.rows(self.scorer.graph)

    @cached_property
    def _followed(self) -> InvestorRows | None:
        """Somebody in the same row who holds what this one follows and nothing else; None where nothing is new."""
        new = self.investor.followed - self.investor.held - self.investor.dismissed
        return AssumedInvestor(self.investor.row, followed=new).rows(self.scorer.graph) if new else None

    def scores(self) -> FloatArray:
        """(assets,) float64: the score of the changed row, and what is followed and the interests add.

        -inf for what no path leads to, as in `Scorer.led_to`; an interest is a path.
        """
        scores = self.scorer.sum_rows(self._row)[0]
        led = self.scorer.led_to(self._row)[0] | self.of_interest()
        if self._followed is not None:
            scores = scores + self._emphasis(self._followed)
        for _, having, weight in self._interests:
            scores[having] += weight
        return np.where(led, scores, -np.inf)

    def added(self) -> FloatArray:
        """(assets,) float64: what is followed, as if it were all that is held, and the interests add to the row's."""
        added = np.zeros(len(self.scorer.graph.assets))
        if self._followed is not None:
            added += self._emphasis(self._followed)
        for _, having, weight in self._interests:
            added[having] += weight
        return added

    def of_interest(self) -> Mask:
        """(assets,) bool: what has an attribute that is of interest; an interest is a path."""
        led = np.zeros(len(self.scorer.graph.assets), bool)
        for _, having, _ in self._interests:
            led[having] = True
        return led

    def _emphasis(self, followed: InvestorRows) -> FloatArray:
        nobody = AssumedInvestor().rows(self.scorer.graph)
        out: FloatArray = EMPHASIS * (self.scorer.usual_rows(followed) - self.scorer.usual_rows(nobody))[0]
        return out

    @cached_property
    def _interests(self) -> tuple[tuple[Row, Positions, FloatArray], ...]:
        """Row of each attribute of interest, positions of the assets that have it, ascending, what it adds to each.

        That is INTEREST_WEIGHT / (1 + place / INTEREST_HALF), with places from 0 in the order of the score's base. An
        asset that has two attributes of one name, such as a sector and an industry, has the interest once.
        """
        graph = self.scorer.graph
        parts = []
        taken = np.zeros(0, np.int64)
        for number, node in enumerate(self.investor.interests):
            if number and graph.nodes.id[node] != graph.nodes.id[self.investor.interests[number - 1]]:
                taken = taken[:0]
            having = Positions(np.setdiff1d(_having(graph, node), taken))
            base = np.sum([values[having] for values in self.scorer.base.values()], axis=0)
            place = np.empty(len(having))
            place[np.argsort(-base, kind="stable")] = np.arange(len(having))
            parts.append((node, having, INTEREST_WEIGHT / (1 + place / INTEREST_HALF)))
            taken = np.union1d(taken, having)
        return tuple(parts)

    def account(self, asset: Position) -> ScoreAccount:
        """The score of the asset at position `asset` taken apart; the first step of an interest's walk reads SEEKS."""
        account = self.scorer.account_row(self._row, asset)
        channels = account.channels
        if self._followed is not None:
            alone = self.scorer.account_row(self._followed, asset).channels
            channels = _together(channels, [_times(channel, EMPHASIS) for channel in alone])
        channels = (*channels, *self._interest_channel(asset))
        score = sum(value for _, value in account.base) + sum(channel.value for channel in channels)
        return replace(account, score=score, channels=channels)

    def _interest_channel(self, asset: Position) -> tuple[ChannelAccount, ...]:
        graph = self.scorer.graph
        walks = []
        for node, having, weight in self._interests:
            nodes = (self.investor.row, node, graph.asset_span.row(asset))
            steps = (Relation.SEEKS, _relation_to(graph, node))
            walks += [Walk(nodes, steps, float(part)) for part in weight[having == asset]]
        return (ChannelAccount(INTEREST, sum(walk.contribution for walk in walks), tuple(walks), 0.0),) if walks else ()


def _times(channel: ChannelAccount, factor: float) -> ChannelAccount:
    walks = tuple(structs.replace(walk, contribution=walk.contribution * factor) for walk in channel.walks)
    return ChannelAccount(channel.name, channel.value * factor, walks, channel.remainder * factor)


def _together(one: tuple[ChannelAccount, ...], two: list[ChannelAccount]) -> tuple[ChannelAccount, ...]:
    """Channels of one name added up; a walk that both have stands twice, and paths are added up where shown."""
    more = {channel.name: channel for channel in two}
    out = [_sum(channel, more.pop(channel.name)) if channel.name in more else channel for channel in one]
    return (*out, *more.values())


def _sum(one: ChannelAccount, two: ChannelAccount) -> ChannelAccount:
    return ChannelAccount(one.name, one.value + two.value, (*one.walks, *two.walks), one.remainder + two.remainder)


def interest_nodes(graph: KnowledgeGraph, text: str) -> tuple[Row, ...]:
    """The rows of the industry, sector and category with this id: a sector's name may be a type of fund too.

    Raises:
        UsageError: there is none.
    """
    rows = tuple(row for kind in INTEREST_KINDS if (row := graph.find(kind, text)) is not None)
    if rows:
        return rows
    raise UsageError(f"no industry, sector or category {text!r} in the snapshot of {graph.as_of}: check its name")


def _relation_to(graph: KnowledgeGraph, node: Row) -> Relation:
    return attribute_relation(graph.kind_of(node))


def _having(graph: KnowledgeGraph, node: Row) -> Positions:
    """Positions of the assets that have the attribute at row `node`, ascending."""
    rows = graph.incoming(_relation_to(graph, node)).of(node)
    return graph.asset_span.position(rows[graph.asset_span.has(rows)])
