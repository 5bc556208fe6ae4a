"""`EvidenceWords`: an explanation's paths and facts in words, as the recommendation page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pathfolio.explain.evidence import Fact, Path, PathEdge
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.text import fact_value, sources_line
from pathfolio.explain.selection import digits_for, diverse
from pathfolio.explain.wording import Wording
from pathfolio.kg.labels import local_label
from pathfolio.kg.schema import RELATIONS, UNDATED, Role, columns_of

SHOWN_PATHS: Final = 8
MOST_PATHS: Final = 30


_STATED: Final = columns_of(Role.PROFILE) | columns_of(Role.ATTRIBUTE)
"""Metrics whose values are nodes' names."""


def figure(fact: Fact, words: Wording) -> str:
    """A fact's value in the reader's language: levels by their names, ratios with two decimals."""
    if isinstance(fact.value, str) and fact.metric in _STATED:
        return local_label(RELATIONS[_STATED[fact.metric]].tails[0], fact.value, words.lang)
    if isinstance(fact.value, float) and fact.unit == "ratio":
        return words.number(round(fact.value, 2) + 0.0, 2)  # no minus before nothing
    return fact_value(fact, words)


@dataclass(frozen=True)
class Hop:
    """One step of a path: the edge that was walked and the node that it leads to.

    `forward` is True where the edge points the way the path goes.
    """

    relation: str
    forward: bool
    weight: str
    kind: str
    name: str
    is_asset: bool
    asset_id: str


@dataclass(frozen=True)
class EvidenceWords:
    """Words for the evidence of one explanation in one language."""

    explanation: Explanation
    words: Wording

    @cached_property
    def shown(self) -> list[Path]:
        """The paths to show first: large ones that differ, the largest first."""
        return sorted(diverse(self.explanation.paths, SHOWN_PATHS), key=lambda path: -abs(path.contribution))

    @cached_property
    def rest(self) -> list[Path]:
        """The next largest paths, so that there are `MOST_PATHS`, and all others that reasons cite."""
        known = {path.id for path in self.shown}
        left = sorted((p for p in self.explanation.paths if p.id not in known), key=lambda p: -abs(p.contribution))
        cut = MOST_PATHS - SHOWN_PATHS
        return left[:cut] + [path for path in left[cut:] if path.id in self._cited]

    @cached_property
    def more(self) -> int:
        """How many paths are listed nowhere on the page."""
        return len(self.explanation.paths) - len(self.shown) - len(self.rest)

    @cached_property
    def rest_value(self) -> float:
        """What the paths that are not in `shown` add up to."""
        return sum(path.contribution for path in self.explanation.paths) - sum(p.contribution for p in self.shown)

    @cached_property
    def digits(self) -> int:
        """Decimals of contributions."""
        return digits_for([path.contribution for path in self.shown])

    @cached_property
    def cited(self) -> list[Fact]:
        """Facts that the reasons cite."""
        return [fact for fact in self.explanation.facts if fact.id in self._cited]

    @cached_property
    def _cited(self) -> set[str]:
        """Ids of what the reasons cite."""
        return {key for reason in self.explanation.reasons_in(self.words.lang) for key in reason.evidence}

    def hops(self, path: Path) -> list[Hop]:
        """The path step by step."""
        return [self._hop(path, step) for step in range(len(path.edges))]

    def name_of(self, path: Path, edge_end: str | None) -> str:
        """The name of an edge's head or tail."""
        return next(node.label(self.words.lang) for node in path.nodes if node.id == edge_end)

    def day(self, edge: PathEdge | Fact, known: bool = False) -> str:
        """The day a fact describes, or (with `known`) became known."""
        day = edge.known_at if known else edge.as_of
        return self.words.page("undated") if day == UNDATED else day.isoformat()

    def value(self, fact: Fact) -> str:
        """A fact's value with its unit."""
        return figure(fact, self.words)

    def sources(self, path: Path) -> str:
        """Who said so, and when, in one line."""
        return sources_line(path, self.words)

    def _hop(self, path: Path, step: int) -> Hop:
        edge = path.edges[step]
        node = path.nodes[step + 1]
        return Hop(
            relation=self.words.relation(edge.relation, edge.head is None),
            forward=path.walks_forward(step),
            weight="" if edge.weight is None else self.words.percent(edge.weight),
            kind=node.kind,
            name=node.label(self.words.lang),
            is_asset=node.kind in {"Stock", "Fund", "Bond"},
            asset_id=node.id or "",
        )
