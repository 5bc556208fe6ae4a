"""The data set as GraphML, which igraph, NetworkX, Gephi, yEd and Cytoscape open.

It is written line by line: NetworkX's writer takes ten times as long, and holds the graph twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from pathfolio.embeddings.dataset.content import Dataset, ids_of
from pathfolio.embeddings.dataset.split import Part
from pathfolio.embeddings.export import word_of
from pathfolio.kg.graph import to_date, to_days
from pathfolio.kg.schema import RELATION_KINDS, UNDATED

FILE: Final = "graph.graphml"
_NODE_KEYS: Final = {"kind": "string", "node_id": "string", "name": "string", "known_at": "string", "fold": "long"}
_EDGE_KEYS: Final = {
    "relation": "string",
    "part": "string",
    "weight": "double",
    "value": "double",
    "amount": "double",
    "qualifier": "string",
    "source": "string",
    "as_of": "string",
    "known_at": "string",
}
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no place for, however they are escaped."""

Values = Mapping[str, str | int | float]


def write_graphml(data: Dataset, folder: Path) -> None:
    """graph.graphml: nodes Kind:id with kind, node_id, name, known_at, fold and their figures; the relations of the
    graph's day with weight, value, source, dates and part."""
    with (folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        metrics = {f"x_{name}": "double" for name in data.figures(data.days[Part.TEST]).metrics}
        for where, keys in (("node", {**_NODE_KEYS, **metrics}), ("edge", _EDGE_KEYS)):
            file.writelines(
                f'<key id={_quoted(f"{where}.{name}")} for="{where}" attr.name={_quoted(name)} attr.type="{kind}"/>\n'
                for name, kind in keys.items()
            )
        file.write('<graph edgedefault="directed">\n')
        kinds, ids, _names = ids_of(data.graph, np.arange(len(data.graph)))
        words = [_quoted(word_of(kind, node_id)) for kind, node_id in zip(kinds, ids, strict=True)]
        file.writelines(_nodes(data, words))
        file.writelines(_edges(data, words))
        file.write("</graph>\n</graphml>\n")


def _nodes(data: Dataset, words: list[str]) -> Iterator[str]:
    rows = data.nodes
    figures = data.figures(data.days[Part.TEST])
    known = dict(zip(figures.rows.tolist(), figures.values.tolist(), strict=True))
    for row, kind, node_id, name in zip(rows.tolist(), *ids_of(data.graph, rows), strict=True):
        about: dict[str, str | int | float] = {
            "kind": kind,
            "node_id": node_id,
            "name": name,
            "fold": int(data.fold[row]),
        }
        about |= _dated("known_at", int(data.graph.nodes.known_at[row]))
        values = zip(figures.metrics, known.get(row, ()), strict=False)
        about |= {f"x_{metric}": value for metric, value in values if not np.isnan(value)}
        yield f"<node id={words[row]}>{_data('node', about)}</node>\n"


def _edges(data: Dataset, words: list[str]) -> Iterator[str]:
    edges = data.graph.edges
    parts = list(Part)
    for at in data.seen(data.days[Part.TEST]).tolist():
        numbers = {name: float(getattr(edges, name)[at]) for name in ("weight", "value", "amount")}
        about: dict[str, str | int | float] = {
            "relation": RELATION_KINDS[edges.relation[at]].value,
            "part": parts[data.part[at]].value,
            **{name: number for name, number in numbers.items() if not np.isnan(number)},
            **{name: text for name in ("qualifier", "source") if (text := str(getattr(edges, name)[at]))},
            **_dated("as_of", int(edges.as_of[at])),
            **_dated("known_at", int(edges.known_at[at])),
        }
        yield f"<edge source={words[edges.head[at]]} target={words[edges.tail[at]]}>{_data('edge', about)}</edge>\n"


def _data(where: str, about: Values) -> str:
    cells = (
        f"<data key={_quoted(f'{where}.{name}')}>{escape(_clean(str(value)))}</data>" for name, value in about.items()
    )
    return "".join(cells)


def _dated(name: str, days: int) -> dict[str, str]:
    """A date as ISO 8601; nothing for what has none."""
    return {} if days == to_days(UNDATED) else {name: to_date(days).isoformat()}


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
