"""`Directory`: finding a node by what a person types."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from pathfolio.explain.tracer import Tracer
from pathfolio.kg.span import Row, Rows

LONGEST_QUERY: Final = 200
"""Characters of what is typed that are looked at."""


def folded(text: str) -> str:
    """`text` as it is compared: without case, width and accents.

    >>> folded("Ｔsmc  Élan")
    'tsmc elan'
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


@dataclass(frozen=True)
class Directory:
    """Rows of nodes with all that they are called.

    Attributes:
        rows: (n,) rows of the snapshot's nodes.
        texts: for each, folded: id, names and ticker, each between line feeds.
    """

    rows: Rows
    texts: tuple[str, ...]

    @classmethod
    def of(cls, names: Tracer, rows: Rows) -> Directory:
        """A directory of the nodes at `rows`."""
        texts = []
        for row in rows.tolist():
            node = names.node(row)
            called = dict.fromkeys((str(node.id), *node.names.texts(), node.detail))
            texts.append("\n" + "\n".join(folded(text) for text in called if text) + "\n")
        return cls(rows, tuple(texts))

    def find(self, query: str, most: int) -> tuple[list[Row], int]:
        """Up to `most` rows that `query` fits, the best first, and how many there are in all.

        All words must occur. What is called exactly so comes first, then what begins so, then words that begin
        so, then the rest; within each in the order of ids.
        """
        words = folded(query[:LONGEST_QUERY]).split()
        if not words:
            return [], 0
        whole = " ".join(words)
        found = []
        different = tuple(dict.fromkeys(words))
        for at, text in enumerate(self.texts):
            if all(word in text for word in different):
                found.append((_closeness(text, whole), at))
        found.sort()
        return [Row(int(self.rows[at])) for _, at in found[:most]], len(found)


def _closeness(text: str, query: str) -> int:
    for place, form in enumerate((f"\n{query}\n", f"\n{query}", f" {query}", query)):
        if form in text:
            return place
    return 4
