"""`Evidence`: an explanation's paths and facts in words, as the recommendation page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from explain.evidence import Fact, Path, PathEdge
from explain.explanation import Explanation
from explain.formats_text import fact_value, sources_line
from explain.selection import digits_for, diverse
from explain.wording import Wording
from kg.schema import UNDATED

SHOWN_PATHS: Final = 8
MOST_PATHS: Final = 30


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
class Evidence:
    """Words for the evidence of one explanation in one language."""

    explanation: Explanation
    words: Wording

    @cached_property
    def shown(self) -> list[Path]:
        """The paths to show first: large ones that differ, the largest first."""
        return sorted(diverse(self.explanation.paths, SHOWN_PATHS), key=lambda path: -abs(path.contribution))

    @cached_property
    def rest(self) -> list[Path]:
        """The next largest paths, up to `MOST_PATHS`."""
        known = {path.id for path in self.shown}
        left = [path for path in self.explanation.paths if path.id not in known]
        return sorted(left, key=lambda path: -abs(path.contribution))[: MOST_PATHS - SHOWN_PATHS]

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
        cited = {key for reason in self.explanation.reasons_in(self.words.lang) for key in reason.evidence}
        return [fact for fact in self.explanation.facts if fact.id in cited]

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
        return fact_value(fact, self.words)

    def sources(self, path: Path) -> str:
        """Who said so, and when, in one line."""
        return sources_line(path, self.words)

    def _hop(self, path: Path, step: int) -> Hop:
        edge, node = path.edges[step], path.nodes[step + 1]
        return Hop(
            relation=self.words.relation(edge.relation),
            forward=path.walks_forward(step),
            weight="" if edge.weight is None else self.words.percent(edge.weight),
            kind=node.kind,
            name=node.label(self.words.lang),
            is_asset=node.kind in {"Stock", "Fund", "Bond"},
            asset_id=node.id or "",
        )
