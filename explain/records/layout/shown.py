"""What was shown: explanations and verdicts, which count places in the tables, and what was asked beside the list."""

from __future__ import annotations

from datetime import date

from pathfolio.explain.records.layout.asked import RecordedFact
from pathfolio.explain.records.layout.parts import Number, RecordPart, RecordRow


class NodeRow(RecordRow, frozen=True):
    """A node; without an id it stands for other investors, summed up.

    Attributes:
        names: by language; in formats 1 and 2 the one in Traditional Chinese alone.
    """

    id: str | None
    kind: str
    name: str
    names: dict[str, str] | str


class EdgeRow(RecordRow, frozen=True):
    """An edge as the graph has it."""

    head: str | None
    relation: str
    tail: str | None
    weight: Number | None
    source: str
    as_of: date
    known_at: date


class RecordTables(RecordPart, frozen=True):
    """The nodes, edges and facts that a record cites, each once."""

    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]
    facts: tuple[RecordedFact, ...]


class BaseRow(RecordRow, frozen=True):
    """A named base of a score."""

    name: str
    value: float


class RecordedChannel(RecordPart, frozen=True):
    """A channel's part of a score."""

    name: str
    value: float
    remainder: float


class PathPlaces(RecordRow, frozen=True):
    """An evidence path: its nodes and edges by their places in the tables."""

    id: str
    channel: str
    contribution: float
    count: int
    nodes: tuple[int, ...]
    edges: tuple[int, ...]


class CitedFact(RecordPart, frozen=True):
    """A fact that a reason cites; as `evidence.Fact`."""

    id: str
    asset_id: str | None
    metric: str
    value: Number | str
    unit: str
    as_of: date
    known_at: date
    source: str
    user_id: str | None = None


class RecordedReason(RecordPart, frozen=True):
    """A sentence and the ids of its evidence."""

    lang: str
    text: str
    evidence: tuple[str, ...]


class RecordedExplanation(RecordPart, frozen=True):
    """A score taken apart; what the record says elsewhere (investor, asset, build) is left out."""

    score: float
    base: tuple[BaseRow, ...]
    channels: tuple[RecordedChannel, ...]
    paths: tuple[PathPlaces, ...]
    facts: tuple[CitedFact, ...]
    reasons: tuple[RecordedReason, ...]


class FindingRow(RecordRow, frozen=True):
    """What a rule found; as `RuleResult`, its facts by their places in the tables."""

    outcome: str
    effect: str
    reason: str
    measured: Number | None
    limit: Number | None
    subject: str
    facts: tuple[int, ...]
    warn_at: Number | None = None


class AgainstRow(RecordRow, frozen=True):
    """What the rule at a place of the rule file found against an asset; else as `FindingRow`."""

    rule: int
    outcome: str
    effect: str
    reason: str
    measured: Number | None
    limit: Number | None
    subject: str
    facts: tuple[int, ...]
    warn_at: Number | None = None


class RecordedVerdict(RecordPart, frozen=True):
    """A verdict: what every rule found, in their order, or what speaks against alone."""

    outcome: str
    results: tuple[FindingRow, ...] | None = None
    against: tuple[AgainstRow, ...] | None = None


class RecordedLine(RecordPart, frozen=True):
    """A line of the list, with its explanation, with its reasons alone, or bare."""

    rank: int
    asset_id: str
    kind: str
    score: float
    name: str
    name_local: str
    verdict: RecordedVerdict
    explanation: RecordedExplanation | None = None
    reasons: tuple[RecordedReason, ...] | None = None


class RecordedRejection(RecordPart, frozen=True):
    """An asset that the score would have listed at `place`."""

    place: int
    asset_id: str
    kind: str
    score: float
    name: str
    name_local: str
    verdict: RecordedVerdict


# -- what was asked beside the list -----------------------------------------------------------------------------


class MoveRow(RecordRow, frozen=True):
    """An asset's place under the assumptions of a what-if question, and before; 0 for none."""

    asset_id: str
    rank: int
    was: int


class RecordedMoves(RecordPart, frozen=True):
    """The list under the assumptions, what climbed below it, and what left it."""

    listed: tuple[MoveRow, ...]
    risers: tuple[MoveRow, ...]
    left: tuple[MoveRow, ...]


class RecordedNode(RecordPart, frozen=True):
    """A node with its name."""

    id: str | None
    kind: str
    name: str


class ChangedAnswer(RecordPart, frozen=True):
    """An answer of the investor, as it is and as it would be; None for none."""

    level_kind: str
    old: str | None
    new: str | None


class RecordedCounterfactual(RecordPart, frozen=True):
    """What would change an asset's place, with the sentence in each language; as `what_if_text.to_json`."""

    user_id: str
    asset_id: str
    k: int
    takes_off: bool
    found: bool
    without: tuple[RecordedNode, ...]
    answers: tuple[ChangedAnswer, ...]
    before: int
    after: int
    is_smallest: bool
    scored: int
    text: dict[str, str]
