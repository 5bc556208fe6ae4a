"""`Algorithm`: what every algorithm is: its options, and a table that it makes of an excerpt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from pathfolio.kg.algorithms.excerpt import Excerpt

Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Resolution = Annotated[float, Meta(gt=0, le=1000)]
Neighbours = Annotated[int, Meta(ge=1, le=1000)]


@dataclass(frozen=True)
class AlgorithmTable:
    """Rows of plain values, the ones to be read first at the top; made one by one, as many as are taken."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


NODE_COLUMNS = ("kind", "id", "name")
"""How every table begins."""


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """An algorithm with its options; what each means is said under `algorithms` in the languages' texts.

    Attributes:
        relations, kinds: names of what it sees, with commas between; see `excerpt_of`.
        as_of: the day whose graph it sees; that of the snapshot where none is given.
        weighted: whether relations count by their weights.
    """

    name: ClassVar[str]

    relations: str = ""
    kinds: str = ""
    as_of: date | None = None
    weighted: bool = False

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """The table; the same for the same excerpt and options.

        Raises:
            UsageError: an option names what is not there.
        """
        raise NotImplementedError
