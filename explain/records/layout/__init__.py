"""What stands in a record: one struct for each thing it says, which is read and written as JSON by msgspec alone.

Nodes, edges, rules' findings and the like stand as rows: JSON arrays whose places the structs name. Fields that say
nothing are left out, where a default is given.

Format 3 is msgspec's sorted JSON, says in which languages it speaks, and has nodes' names by language. Formats 1 and 2
are RFC 8785, have one other name of a node, and end a finding without a warning level one place earlier; format 1 knew
no day of asking, and called a pass what left rules open, too.
All of them are read into the same structs; records of the earlier formats are written only to compare them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import rfc8785

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.records.layout.asked import (
    RecordedBuild,
    RecordedCandidates,
    RecordedData,
    RecordedInvestor,
    RecordedQuestion,
    RecordedRules,
)
from pathfolio.explain.records.layout.parts import RecordPart
from pathfolio.explain.records.layout.shown import (
    RecordedCounterfactual,
    RecordedLine,
    RecordedMoves,
    RecordedRejection,
    RecordTables,
)
from pathfolio.kg.errors import DataError
from pathfolio.kg.languages import DEFAULT

FORMAT: Final = 3
WITHOUT_DAY: Final = 1
TRADITIONAL: Final = "zh-TW"
"""The language besides the default of what formats 1 and 2 say."""
_RFC_8785: Final = (1, 2)


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
    software: dict[str, str] = msgspec.field(default_factory=dict)
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
"""A record as JSON values: for its bytes, to be compared field by field, and to be printed."""


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
