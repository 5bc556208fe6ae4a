"""The data set as RDF in Turtle, in the terms of FIBO where it has them.

FIBO is the Financial Industry Business Ontology of the EDM Council. Its classes and properties are used for what they
define; all other kinds and relations are terms of this data set's own, which its first lines declare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import numpy as np

from pathfolio.embeddings.dataset.content import Dataset, ids_of
from pathfolio.embeddings.dataset.split import Part
from pathfolio.kg.graph import NO_DAY, to_date, to_days
from pathfolio.kg.schema import RELATION_CODE, RELATION_KINDS, UNDATED, NodeKind, Relation

FILE: Final = "graph.ttl"
_FIBO: Final = "https://spec.edmcouncil.org/fibo/ontology/"
_PREFIXES: Final = MappingProxyType(
    {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "dcterms": "http://purl.org/dc/terms/",
        "fibo-sec-eq-eq": f"{_FIBO}SEC/Equities/EquityInstruments/",
        "fibo-sec-fund-fund": f"{_FIBO}SEC/Funds/Funds/",
        "fibo-sec-dbt-bnd": f"{_FIBO}SEC/Debt/Bonds/",
        "fibo-sec-sec-cls": f"{_FIBO}SEC/Securities/SecuritiesClassification/",
        "fibo-sec-sec-lst": f"{_FIBO}SEC/Securities/SecuritiesListings/",
        "fibo-fbc-fct-mkt": f"{_FIBO}FBC/FunctionalEntities/Markets/",
        "fibo-fbc-fi-fi": f"{_FIBO}FBC/FinancialInstruments/FinancialInstruments/",
        "fibo-fnd-rel-rel": f"{_FIBO}FND/Relations/Relations/",
        "pf": "urn:pathfolio:term:",
    }
)
FIBO_CLASSES: Final = MappingProxyType(
    {
        NodeKind.STOCK: "fibo-sec-eq-eq:Share",
        NodeKind.FUND: "fibo-sec-fund-fund:CollectiveInvestmentVehicle",
        NodeKind.BOND: "fibo-sec-dbt-bnd:Bond",
        NodeKind.ISSUER: "fibo-fbc-fi-fi:Issuer",
        NodeKind.MARKET: "fibo-fbc-fct-mkt:Exchange",
        NodeKind.ASSET_CLASS: "fibo-sec-sec-cls:AssetClass",
    }
)
FIBO_PROPERTIES: Final = MappingProxyType(
    {
        Relation.ISSUED_BY: "fibo-fnd-rel-rel:isIssuedBy",
        Relation.LISTED_ON: "fibo-sec-sec-lst:isTradedOn",
    }
)
_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def write_turtle(data: Dataset, folder: Path) -> None:
    """graph.ttl: nodes with their names and days; the relations and figures of the graph's day, each as a triple and as
    an rdf:Statement about it, with weight, value, source, dates and part."""
    with (folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"@prefix {name}: <{iri}> .\n" for name, iri in _PREFIXES.items())
        file.writelines(_terms(data))
        file.writelines(_nodes(data))
        file.writelines(_relations(data))


def _terms(data: Dataset) -> Iterator[str]:
    """The data set's own terms: each kind and relation that it has, tied to FIBO's where there is one."""
    yield "\n"
    for kind in data.kinds:
        above = f" ; rdfs:subClassOf {FIBO_CLASSES[kind]}" if kind in FIBO_CLASSES else ""
        yield f"pf:{kind.value} a rdfs:Class{above} .\n"
    for code in np.unique(data.graph.edges.relation).tolist():
        relation = RELATION_KINDS[code]
        above = f" ; rdfs:subPropertyOf {FIBO_PROPERTIES[relation]}" if relation in FIBO_PROPERTIES else ""
        yield f"pf:{relation.value} a rdf:Property{above} .\n"


def _nodes(data: Dataset) -> Iterator[str]:
    nodes = data.graph.nodes
    yield "\n"
    for row, (kind, node_id, name) in enumerate(zip(*ids_of(data.graph, np.arange(len(nodes))), strict=True)):
        is_a = [f"pf:{kind}", *([FIBO_CLASSES[NodeKind(kind)]] if NodeKind(kind) in FIBO_CLASSES else [])]
        lines = [f"{_iri(kind, node_id)} a {', '.join(is_a)}", f"dcterms:identifier {_text(node_id)}"]
        lines += [f"rdfs:label {_text(name)}"] if name else []
        texts = {"ticker": nodes.ticker, "isin": nodes.isin, "nameLocal": nodes.name_local, "currency": nodes.currency}
        lines += [f"pf:{term} {_text(column[row])}" for term, column in texts.items() if column[row]]
        if nodes.listed[row] != NO_DAY:
            lines.append(f"fibo-sec-sec-lst:hasListingDate {_day(int(nodes.listed[row]))}")
        yield _joined([*lines, *_dated("pf:knownAt", int(nodes.known_at[row])), f"pf:fold {data.fold[row]}"])


def _relations(data: Dataset) -> Iterator[str]:
    edges = data.graph.edges
    day = data.days[Part.TEST]
    there = np.flatnonzero((data.start <= day) & (day < data.until))
    kinds, ids, _names = ids_of(data.graph, np.arange(len(data.graph)))
    iris = [_iri(kind, node_id) for kind, node_id in zip(kinds, ids, strict=True)]
    parts = list(Part)
    yield "\n"
    for at in there.tolist():
        head, tail = iris[edges.head[at]], iris[edges.tail[at]]
        relation = RELATION_KINDS[edges.relation[at]]
        fibo = FIBO_PROPERTIES.get(relation)
        yield f"{head} pf:{relation.value} {tail}{f' ; {fibo} {tail}' if fibo else ''} .\n"
        about = [
            f"[] a rdf:Statement ; rdf:subject {head} ; rdf:predicate pf:{relation.value} ; rdf:object {tail}",
            *(
                f'pf:{name} "{float(getattr(edges, name)[at])!r}"^^xsd:double'
                for name in ("weight", "value", "amount")
                if not np.isnan(getattr(edges, name)[at])
            ),
            *([f"pf:qualifier {_text(edges.qualifier[at])}"] if edges.qualifier[at] else []),
            f"dcterms:source {_text(edges.source[at])}",
            *_dated("pf:asOf", int(edges.as_of[at])),
            *_dated("pf:knownAt", int(edges.known_at[at])),
        ]
        if edges.relation[at] != RELATION_CODE[Relation.HAS_FACT]:
            about.append(f'pf:part "{parts[data.part[at]].value}"')
        yield _joined(about)


def _joined(lines: Iterable[str]) -> str:
    return " ;\n  ".join(lines) + " .\n"


def _iri(kind: str, node_id: str) -> str:
    return f"<urn:pathfolio:{kind}:{quote(node_id, safe='')}>"


def _text(text: str) -> str:
    """A literal; characters that Turtle cannot hold become a replacement character."""
    clean = "".join(c if c >= " " or c in "\n\r\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f'"{clean.translate(_ESCAPED)}"'


def _dated(term: str, days: int) -> list[str]:
    """A term with its day; nothing for what has none."""
    return [] if days == to_days(UNDATED) else [f"{term} {_day(days)}"]


def _day(days: int) -> str:
    return f'"{to_date(days).isoformat()}"^^xsd:date'
