"""What an analyst's query may cost, what it answers, and how it can fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pathfolio.kg.errors import StoreError, UsageError


@dataclass(frozen=True)
class Limits:
    """What one query may take.

    Attributes:
        seconds: of time on the server.
        rows, bytes: of its answer; what is more is cut off, and the answer says so.
    """

    seconds: float = 30.0
    rows: int = 10_000
    bytes: int = 16 * 2**20

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.rows > 0 and self.bytes > 0):
            raise UsageError("limits of a query are above zero")


@dataclass(frozen=True)
class Answer:
    """Columns and rows of plain values; `cut` names the limit that cut it short, None where it is whole."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    cut: str | None


class QueryError(UsageError):
    """A query that was refused, by us or by the server.

    Attributes:
        line, column: where in its text, from 1; 0 where nobody says.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        """`message` without its place."""
        super().__init__(f"line {line}, column {column}: {message}" if line else message)
        self.line = line
        self.column = column

    @classmethod
    def from_server(cls, message: str, shift: int = 0) -> QueryError:
        """The server's own message in one line, its position in front.

        Args:
            shift: characters that stood before the query on its first line; -1 where columns are counted from 0.

        >>> str(QueryError.from_server("Variable `m` not defined (line 1, column 18 (offset: 17))"))
        'line 1, column 18: Variable `m` not defined'
        """
        first = next((line for line in message.splitlines() if line.strip()), "the server gave no reason")
        place = _PLACE.search(message)
        if place is None:
            return cls(first.strip())
        line, column = (int(number) for number in place.groups())
        text = _PLACE.sub("", first).rstrip(" (").strip()
        return cls(text, line, max(column - (shift if line == 1 else min(shift, 0)), 1))


_PLACE: Final = re.compile(
    r"(?:\(|(?:Syntax error )?at )line (\d+)(?::|,? (?:column|position) )(\d+)(?: \(offset: \d+\))?\)?(?: - )?"
)


class QueryStoppedError(StoreError):
    """A query that ran past its time."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the limit that it ran past."""
        super().__init__(f"stopped after {seconds:g} s: ask for less, or allow more time")
