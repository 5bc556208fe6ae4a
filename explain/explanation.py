"""`Explanation`: a score taken apart into evidence, one immutable value that refuses to be wrong about itself."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final

from pathfolio.explain.errors import ExplanationError
from pathfolio.explain.evidence import USER, ChannelPart, Fact, Path, PathEdge, PathNode, Reason
from pathfolio.explain.reasons.claim import Claim
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.languages.names import Names
from pathfolio.recommender.groups import SMALLEST_GROUP

TOLERANCE: Final = 1e-6
"""How far the parts may be from the score: rounding of sums, no more."""


@dataclass(frozen=True)
class Explanation:
    """Why an asset is recommended to an investor: the score, everything that adds up to it, and reasons in words.

    score = sum of base values + sum of channel values; a channel's value = sum of its paths' contributions + its
    remainder. Made by `pathfolio.explain.explainer.Explainer`, which takes every edge from the graph.

    Attributes:
        build: hash of the build that made the score.
        rank: the place in the investor's list, from 1; 0 where the asset is on no list.
        paths: the largest contribution first within each channel, channels as in `channels`.
        facts: what reasons cite beside paths.
        reasons: sentences, each with the ids of its evidence.
        claims: what the reasons of each language say, in their order; none where only the sentences are known.

    Raises:
        ExplanationError: parts do not add up, a path is broken, or a group of other investors is too small.
    """

    user: PathNode
    asset: PathNode
    as_of: date
    build: str
    rank: int
    score: float
    base: tuple[tuple[str, float], ...]
    channels: tuple[ChannelPart, ...]
    paths: tuple[Path, ...]
    facts: tuple[Fact, ...] = ()
    reasons: tuple[Reason, ...] = ()
    claims: tuple[Claim, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        self._check_sums()
        for path in self.paths:
            self._check_path(path)
        self._check_reasons()

    @property
    def user_id(self) -> str:
        """The investor's id."""
        return str(self.user.id)

    @property
    def asset_id(self) -> str:
        """The asset's id."""
        return str(self.asset.id)

    @property
    def kind(self) -> str:
        """stock, fund or bond."""
        return self.asset.kind.lower()

    @cached_property
    def share_on_paths(self) -> float:
        """Sum of |path contributions| over that sum plus all |remainders|; 1 where nothing is left over."""
        on_paths = sum(abs(path.contribution) for path in self.paths)
        rest = sum(abs(part.remainder) for part in self.channels)
        return on_paths / (on_paths + rest) if on_paths + rest else 1.0

    def reasons_in(self, lang: str) -> tuple[Reason, ...]:
        """The reasons written in `lang`."""
        return tuple(reason for reason in self.reasons if reason.lang == lang)

    def with_reasons(
        self, reasons: tuple[Reason, ...], facts: tuple[Fact, ...], claims: tuple[Claim, ...] = ()
    ) -> Explanation:
        """The same explanation with these reasons and the facts that they cite; raises as the class does."""
        out = copy(self)  # sums and paths are as they were: only the reasons need a check
        object.__setattr__(out, "reasons", reasons)
        object.__setattr__(out, "facts", facts)
        object.__setattr__(out, "claims", claims)
        out._check_reasons()
        return out

    def to_json(self, lang: str | None = None) -> dict[str, Any]:
        """What `explain --format json` prints (explanation.schema.json); with `lang`, only that language's reasons."""
        reasons = self.reasons if lang is None else self.reasons_in(lang)
        return {
            "user_id": self.user_id,
            "asset_id": self.asset_id,
            "kind": self.kind,
            "as_of": self.as_of.isoformat(),
            "build": self.build,
            "rank": self.rank,
            "score": self.score,
            "base": [{"name": name, "value": value} for name, value in self.base],
            "channels": [part.to_json() for part in self.channels],
            "paths": [path.to_json(lang or DEFAULT) for path in self.paths],
            "facts": [fact.to_json() for fact in self.facts],
            "reasons": [reason.to_json() for reason in reasons],
        }

    # -- what it refuses -------------------------------------------------------------------------------------

    def _check_sums(self) -> None:
        on_paths = {part.name: 0.0 for part in self.channels}
        for path in self.paths:
            if path.channel not in on_paths:
                raise self._wrong(f"path {path.id} belongs to {path.channel!r}, which is no channel of the score")
            on_paths[path.channel] += path.contribution
        for part in self.channels:
            self._same(part.value, on_paths[part.name] + part.remainder, f"channel {part.name}")
        self._same(self.score, sum(v for _, v in self.base) + sum(p.value for p in self.channels), "score")

    def _same(self, value: float, parts: float, what: str) -> None:
        if not abs(value - parts) <= TOLERANCE * max(1.0, abs(value)):
            raise self._wrong(f"{what} is {value!r}, but its parts add up to {parts!r}")

    def _check_path(self, path: Path) -> None:
        nodes, edges = path.nodes, path.edges
        first, last = nodes[0], nodes[-1]
        fits = (first is self.user or first == self.user) and (last is self.asset or last == self.asset)
        if len(nodes) != len(edges) + 1 or not fits:
            raise self._wrong(f"path {path.id} does not lead from the investor to the asset")
        start = first
        for edge, end in zip(edges, nodes[1:], strict=True):
            if (edge.head != start.id or edge.tail != end.id) and (edge.head != end.id or edge.tail != start.id):
                raise self._wrong(f"path {path.id}: {edge.relation} does not join the nodes beside it")
            if end.kind == USER and (end.id is not None or path.count < SMALLEST_GROUP):
                raise self._wrong(f"path {path.id} shows fewer than {SMALLEST_GROUP} other investors")
            start = end

    def _check_reasons(self) -> None:
        known = {path.id for path in self.paths} | {fact.id for fact in self.facts}
        for reason in self.reasons:
            if not reason.evidence or not known.issuperset(reason.evidence):
                raise self._wrong(f"the reason {reason.text!r} cites no evidence, or some that is not there")

    def _wrong(self, what: str) -> ExplanationError:
        return ExplanationError(f"explanation of {self.asset_id!r} for {self.user_id!r}: {what}: build again")


def from_json(data: Mapping[str, Any], names: Mapping[tuple[str, str], PathNode] | None = None) -> Explanation:
    """The explanation that `to_json` printed; it checks itself again.

    Args:
        data: the parsed JSON.
        names: nodes by (kind, id), where they are known with all their names.

    Raises:
        ExplanationError: it does not account for its score.
    """
    known = dict(names or {})
    asset_kind = str(data["kind"]).capitalize()
    for path in data["paths"]:
        for node in path["nodes"]:
            if node["id"] is not None:
                known.setdefault((node["kind"], node["id"]), _node(node))
    ends = [(USER, data["user_id"]), (asset_kind, data["asset_id"])]
    user, asset = (known.setdefault(end, PathNode(end[1], end[0], Names.everywhere(end[1]))) for end in ends)
    return Explanation(
        user=user,
        asset=asset,
        as_of=date.fromisoformat(data["as_of"]),
        build=data["build"],
        rank=data["rank"],
        score=data["score"],
        base=tuple((part["name"], part["value"]) for part in data["base"]),
        channels=tuple(ChannelPart(**part) for part in data["channels"]),
        paths=tuple(_path(path, known) for path in data["paths"]),
        facts=tuple(Fact(**{**fact, **_dates(fact)}) for fact in data.get("facts", ())),
        reasons=tuple(Reason(r["lang"], r["text"], tuple(r["evidence"])) for r in data["reasons"]),
    )


def _dates(record: Mapping[str, Any]) -> dict[str, date]:
    return {name: date.fromisoformat(record[name]) for name in ("as_of", "known_at")}


def _node(data: Mapping[str, Any]) -> PathNode:
    return PathNode(data["id"], data["kind"], Names.everywhere(data["name"]))


def _path(data: Mapping[str, Any], known: Mapping[tuple[str, str], PathNode]) -> Path:
    nodes = tuple(_node(node) if node["id"] is None else known[node["kind"], node["id"]] for node in data["nodes"])
    edges = tuple(PathEdge(**{**edge, **_dates(edge)}) for edge in data["edges"])
    return Path(data["id"], data["channel"], data["contribution"], nodes, edges, data["count"])
