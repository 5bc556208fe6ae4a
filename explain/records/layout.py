"""What stands in a record: one struct for each thing it says, which is read and written as JSON by msgspec alone.

Nodes, edges, rules' findings and the like stand as rows: JSON arrays whose places the structs name. Fields that say
nothing are left out, where a default is given.

Format 3 is msgspec's sorted JSON, says in which languages it speaks, and has nodes' names by language. Formats 1 and 2
are RFC 8785, have one other name of a node, and end a finding without a warning level one place earlier; format 1 knew
no day of asking, and called a pass what left rules open, too.
All of them are read into the same structs; records of the earlier formats are written only to compare them.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec
import rfc8785

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.kg.errors import DataError
from pathfolio.kg.languages import DEFAULT

FORMAT: Final = 3
WITHOUT_DAY: Final = 1
TRADITIONAL: Final = "zh-TW"
"""The language besides the default of what formats 1 and 2 say."""
_RFC_8785: Final = (1, 2)

Number = int | float
"""Read as it was written: 4 stays 4, and 4.0 stays 4.0."""


class RecordPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Anything that a record says by names."""


class RecordRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Anything that a record says by places."""


# -- the question --------------------------------------------------------------------------------------------


class RecordedAssumption(RecordPart, frozen=True):
    """What a what-if question assumes, by names; as `Assumed`."""

    levels: dict[str, str]
    years: Number | None
    interests: tuple[str, ...]
    follow: tuple[str, ...]
    dismiss: tuple[str, ...]


class RecordedQuestion(RecordPart, frozen=True):
    """What was asked; as `Question`, the last ones only where they were asked or said.

    Attributes:
        explained: not said by the oldest records, which all are.
    """

    who: str
    through: str
    user_id: str
    k: int
    kind: str | None
    include_held: bool
    lang: str
    asset_id: str | None
    explained: bool | msgspec.UnsetType = msgspec.UNSET
    counterfactual: bool = False
    thrifty: bool = False
    purpose: str = ""
    today: date | None = None
    assumed: RecordedAssumption | None = None


# -- what it rests on ----------------------------------------------------------------------------------------


class RecordedData(RecordPart, frozen=True):
    """The data's name, day and hash."""

    name: str
    is_sample: bool
    as_of: date
    graph_hash: str


class RecordedBuild(RecordPart, frozen=True):
    """The build's hash, and the versions that made it."""

    hash: str
    versions: dict[str, str]


class RuleRow(RecordRow, frozen=True):
    """A rule's id and kind, with its group."""

    name: str
    kind: str


class RecordedRules(RecordPart, frozen=True):
    """The rule file, by its hash, and the names of its rules in their order."""

    market: str
    version: str
    sha256: str
    rules: tuple[RuleRow, ...]


class RecordedFact(RecordPart, frozen=True):
    """A fact that a rule used, or of the investor; as `suitability.verdict.Fact`."""

    head: str = ""
    relation: str = ""
    tail: str = ""
    value: Number | None = None
    source: str = ""
    as_of: str = ""
    known_at: str = ""
    note: str = ""


class RecordedPosition(RecordedFact, frozen=True, kw_only=True):
    """A position with the asset's names."""

    name: str
    name_local: str


class RecordedInvestor(RecordPart, frozen=True):
    """The investor as the score and the rules saw them."""

    user_id: str
    name: str
    levels: dict[str, RecordedFact]
    weighting: str
    positions: tuple[RecordedPosition, ...]
    held_before: tuple[RecordedFact, ...]


class PackedColumn(RecordPart, frozen=True):
    """An array, packed; see `columns.packed`."""

    type: str
    data: str


class CandidateColumns(RecordPart, frozen=True):
    """All candidates, in the order of the build's assets: places, scores, outcomes and the decisive rules."""

    asset: PackedColumn
    score: PackedColumn
    outcome: PackedColumn
    rule: PackedColumn


class RecordedCandidates(RecordPart, frozen=True):
    """How many were considered and passed; the candidates themselves, or their SHA-256."""

    count: int
    allowed: int
    rejected_by: dict[str, int]
    warned_by: dict[str, int]
    encoding: str | None = None
    columns: CandidateColumns | None = None
    sha256: str | None = None


# -- explanations and verdicts, which count places in the tables ------------------------------------------------


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


# -- the record ----------------------------------------------------------------------------------------------


class Record(RecordPart, frozen=True, kw_only=True):
    """The record of one answer.

    Attributes:
        languages: those in which its reasons are told; None in records of earlier formats, which have two.
        whole: of a thrifty record, the SHA-256 of the whole one.
    """

    format: int
    question: RecordedQuestion
    data: RecordedData
    build: RecordedBuild
    rules: RecordedRules
    software: dict[str, str] = {}
    languages: tuple[str, ...] | None = None
    investor: RecordedInvestor
    candidates: RecordedCandidates
    list: tuple[RecordedLine, ...]
    rejected: tuple[RecordedRejection, ...]
    moves: RecordedMoves | None = None
    counterfactual: RecordedCounterfactual | None = None
    tables: RecordTables
    whole: str | None = None

    @property
    def told_in(self) -> tuple[str, ...]:
        """The languages in which its reasons are told."""
        return self.languages or (DEFAULT, TRADITIONAL)


_DECODER: Final = msgspec.json.Decoder(Record)

Printed = dict[str, Any]
"""A record as the JSON that is printed, shown and reported."""


def parse_record(text: bytes, name: str = "") -> Record:
    """The record that was written as `text`, in whichever format.

    Raises:
        DataError: it is none, or of a later format.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError as error:
        raise DataError(
            f"record {name}: not a record of formats 1 to {FORMAT} ({error}): read it with the version that wrote it"
        ) from None


def record_text(record: Record) -> bytes:
    """The record's canonical bytes, as its format has them; raises LedgerError where it has none."""
    return canonical(record) if record.format not in _RFC_8785 else bytes(rfc8785.dumps(plain(record)))


def plain(record: Record) -> Printed:
    """The record as JSON values, to the last place as its format writes them."""
    found: Printed = msgspec.json.decode(msgspec.json.encode(record))
    if record.format in _RFC_8785:
        for item in (*found["list"], *found["rejected"]):
            for row in (*item["verdict"].get("results", ()), *item["verdict"].get("against", ())):
                if row[-1] is None:
                    row.pop()
    return found
