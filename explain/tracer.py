"""From a `ScoreAccount` to the `Explanation`'s numbers and paths, every edge taken from the graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from pathfolio.explain.errors import ExplanationError
from pathfolio.explain.evidence import OTHERS_KEY, SEPARATOR, USER, ChannelPart, Path, PathEdge, PathNode, stable_id
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.wording import LANGUAGES, SOURCES_JOINED, wording_of
from pathfolio.kg.graph import KnowledgeGraph, to_date
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import ASSET_KINDS, RELATION_KINDS, RELATIONS, NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.account import OTHER_INVESTORS, ChannelAccount, ScoreAccount

_MEMO_SIZE: Final = 30_000


_Step = tuple[Row, str, Row]
_Steps = dict[_Step, PathEdge]
_Firsts = dict[tuple[str, Row], PathEdge]
"""The edges that leave the investor whom an account is of, by relation and end."""

_RestKey = tuple[tuple[Row, ...], tuple[str, ...], int]


class _Rest(msgspec.Struct, frozen=True, gc=False):
    """A path without the investor; `key` names its nodes, `steps` its relations after the first."""

    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    key: str
    steps: str


@dataclass(frozen=True, slots=True)
class _Own:
    """The latest investor, and the edges that leave them; nobody else's paths have these."""

    row: Row
    node: PathNode
    steps: _Steps


class Tracer:
    """Looks up what the walks of one snapshot's accounts go through.

    What it has seen of assets and attributes it remembers; of investors only the latest, or memory would grow with
    everyone who asks.

    Args:
        graph: the snapshot that the accounts' rows belong to.
        build_hash: hash of the build that made the scores.
    """

    def __init__(self, graph: KnowledgeGraph, build_hash: str) -> None:
        """Look nothing up yet."""
        self.graph = graph
        self.build_hash = build_hash
        self._nodes: dict[Row, PathNode] = {}
        self._rests: dict[_RestKey, _Rest] = {}
        self._steps: _Steps = {}
        self._crowds: dict[int, PathNode] = {}
        self._latest: _Own | None = None

    def share_with(self, other: Tracer) -> None:
        """Remember together with `other`, which looks at the same snapshot."""
        self._nodes = other._nodes
        self._rests = other._rests
        self._steps = other._steps
        vars(self)["_sources"] = other._sources

    def trace(self, account: ScoreAccount, rank: int) -> Explanation:
        """The account as an explanation without reasons; `rank` is the place in the list, 0 for none.

        Raises:
            ExplanationError: a walk takes an edge that the graph lacks, shows another investor, or the parts do
                not add up to the score.
        """
        parts = []
        paths = []
        firsts: _Firsts = {}
        user = self._own(account.user).node if self._is_investor(account.user) else self.node(account.user)
        for channel in account.channels:
            parts.append(ChannelPart(channel.name, channel.value, channel.remainder))
            paths += self._paths(account, user, channel, firsts)
        return Explanation(
            user=user,
            asset=self.node(account.asset),
            as_of=self.graph.as_of,
            build=self.build_hash,
            rank=rank,
            score=account.score,
            base=account.base,
            channels=tuple(parts),
            paths=tuple(paths),
        )

    def node(self, row: Row) -> PathNode:
        """The node at `row` as a person reads it."""
        if self._is_investor(row):
            latest = self._latest  # read once: several threads may ask at a time
            return latest.node if latest is not None and latest.row == row else self._make_node(row)
        found = self._nodes.get(row)
        if found is None:
            if len(self._nodes) > _MEMO_SIZE:
                self._nodes.clear()
            found = self._nodes[row] = self._make_node(row)
        return found

    def step(self, start: Row, relation: str, end: Row) -> PathEdge:
        """The current edge of `relation` between two rows, whichever of them is its head.

        Raises:
            ExplanationError: the graph has no such edge.
        """
        remembered = self._own(start).steps if self._is_investor(start) else self._steps
        return self._remembered_step(remembered, (start, relation, end))

    def _remembered_step(self, remembered: _Steps, key: _Step) -> PathEdge:
        found = remembered.get(key)
        if found is None:
            if len(remembered) > _MEMO_SIZE:
                remembered.clear()
            found = remembered[key] = self._make_step(*key)
        return found

    def _is_investor(self, row: Row) -> bool:
        return row in self.graph.user_span

    def _own(self, user: Row) -> _Own:
        latest = self._latest
        if latest is None or latest.row != user:
            latest = self._latest = _Own(user, self._make_node(user), {})
        return latest

    # -- paths -----------------------------------------------------------------------------------------------

    def _paths(self, account: ScoreAccount, user: PathNode, channel: ChannelAccount, firsts: _Firsts) -> list[Path]:
        """The channel's paths, the largest first; walks of one path are added up."""
        paths: dict[str, Path] = {}
        start = f"{channel.name}{SEPARATOR}{USER}:{user.id}{SEPARATOR}"
        for walk in channel.walks:
            rows, relations, count = walk.nodes, walk.relations, walk.count
            if rows[0] != account.user or rows[-1] != account.asset:
                raise ExplanationError(
                    f"a walk of {channel.name} does not lead from the investor to the asset: a fault of it"
                )
            key = (rows[1:], relations[1:], count)
            rest = self._rests.get(key) or self._rest(key)
            first = firsts.get((relations[0], rows[1]))
            if first is None:
                first = firsts[relations[0], rows[1]] = self.step(rows[0], relations[0], rows[1])
            identity = stable_id("p", f"{start}{rest.key}{SEPARATOR}{relations[0]}{rest.steps}")
            before = paths.get(identity)
            part = walk.contribution if before is None else before.contribution + walk.contribution
            edges = (first, *rest.edges)
            paths[identity] = Path(identity, channel.name, part, (user, *rest.nodes), edges, count)
        return sorted(paths.values(), key=_by_size)

    def _rest(self, parts: _RestKey) -> _Rest:
        """All of a walk behind the investor: many investors' walks go on alike, and end alike more often still."""
        found = self._rests.get(parts)
        if found is None:
            found = self._make_rest(*parts)
            if len(self._rests) > _MEMO_SIZE:
                self._rests.clear()
            self._rests[parts] = found
        return found

    def _make_rest(self, rows: tuple[Row, ...], relations: tuple[str, ...], count: int) -> _Rest:
        first = rows[0]
        if self._is_investor(first):
            raise ExplanationError(f"a walk to {self.node(rows[-1]).name!r} shows an investor: sum other investors up")
        node = self._others(count) if first == OTHER_INVESTORS else self.node(first)
        key = OTHERS_KEY if node.id is None else f"{node.kind}:{node.id}"
        if not relations:
            return _Rest((node,), (), key, "")
        rest = self._rest((rows[1:], relations[1:], count))
        step = self._remembered_step(self._steps, (first, relations[0], rows[1]))
        steps = f"{SEPARATOR}{relations[0]}{rest.steps}"
        return _Rest((node, *rest.nodes), (step, *rest.edges), f"{key}{SEPARATOR}{rest.key}", steps)

    def _others(self, count: int) -> PathNode:
        found = self._crowds.get(count)
        if found is None:
            names = Names({lang: wording_of(lang).others(count) for lang in LANGUAGES})
            found = self._crowds[count] = PathNode(None, USER, names)
        return found

    # -- the graph -------------------------------------------------------------------------------------------

    def _make_node(self, row: Row) -> PathNode:
        nodes = self.graph.nodes
        kind = self.graph.kind_of(row)
        key = str(nodes.id[row])
        ticker = str(nodes.ticker[row])
        names = {lang: self._name(row, kind, lang) for lang in LANGUAGES}
        return PathNode(key, kind.value, Names(names), ticker if ticker not in names.values() else "")

    def _name(self, row: Row, kind: NodeKind, lang: str) -> str:
        if kind is NodeKind.USER:
            return str(self.graph.nodes.name[row]) or wording_of(lang).investor(str(self.graph.nodes.id[row]))
        if kind in ASSET_KINDS:
            return local_label(kind.value, self.graph.called(row, lang), lang)
        if kind is NodeKind.METRIC:
            return wording_of(lang).metric(str(self.graph.nodes.id[row]))
        return local_label(kind.value, self.graph.called(row, lang), lang)

    def _make_step(self, start: Row, relation: str, end: Row) -> PathEdge:
        if OTHER_INVESTORS in (start, end):
            return self._summed_step(end if start == OTHER_INVESTORS else start, relation)
        kind = Relation(relation)
        for head, tail in ((start, end), (end, start)):
            at = self.graph.edge(head, kind, tail) if self._allows(kind, head, tail) else None
            if at is not None:
                return self._edge(at)
        names = (self.node(start).name, self.node(end).name)
        raise ExplanationError(f"no {relation} between {names[0]!r} and {names[1]!r} in the snapshot: build again")

    def _allows(self, relation: Relation, head: Row, tail: Row) -> bool:
        spec = RELATIONS[relation]
        return self.graph.kind_of(head) in spec.heads and self.graph.kind_of(tail) in spec.tails

    def _edge(self, at: int) -> PathEdge:
        edges = self.graph.edges
        nodes = self.graph.nodes
        weight = float(edges.weight[at])
        return PathEdge(
            head=str(nodes.id[edges.head[at]]),
            relation=RELATION_KINDS[int(edges.relation[at])].value,
            tail=str(nodes.id[edges.tail[at]]),
            weight=None if np.isnan(weight) else weight,
            source=str(edges.source[at]),
            as_of=to_date(edges.as_of[at]),
            known_at=to_date(edges.known_at[at]),
        )

    def _summed_step(self, other: Row, relation: str) -> PathEdge:
        """What many investors have in common; of no one's date or weight, but of the snapshot's day."""
        kinds = [Relation(word) for word in relation.split("|")]
        if other == OTHER_INVESTORS or any(NodeKind.USER not in RELATIONS[kind].heads for kind in kinds):
            raise ExplanationError(f"{relation} does not join other investors to what they have: a fault of the score")
        day = self.graph.as_of
        said = SOURCES_JOINED.join(sorted(set().union(*(self._sources[kind] for kind in kinds))))
        return PathEdge(None, str(relation), str(self.graph.nodes.id[other]), None, said, day, day)

    @cached_property
    def _sources(self) -> dict[Relation, frozenset[str]]:
        """For each relation, all who say something of that kind."""
        source = self.graph.edges.source
        return {relation: frozenset(source[self.graph.edges_between(relation)].tolist()) for relation in Relation}


def _by_size(path: Path) -> tuple[float, str]:
    return -abs(path.contribution), path.id
