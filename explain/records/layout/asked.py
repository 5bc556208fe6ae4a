"""The question, and what the answer rests on: data, build, rules, the investor, and all that was considered."""

from __future__ import annotations

from datetime import date

import msgspec

from pathfolio.explain.records.layout.parts import Number, RecordPart, RecordRow


class RecordedAssumption(RecordPart, frozen=True):
    """What a what-if question assumes, by names; as `Assumed`."""

    levels: dict[str, str]
    years: Number | None
    interests: tuple[str, ...]
    follow: tuple[str, ...]
    dismiss: tuple[str, ...]


class RecordedTold(RecordPart, frozen=True):
    """What the investor told; as `ToldFact`."""

    relation: str
    target: str
    day: date
    stands: bool = True
    entry: str = ""


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
    told: tuple[RecordedTold, ...] = ()
    rerank: str = ""


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

    @property
    def asset_id(self) -> str:
        """The asset's id."""
        return self.tail


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
