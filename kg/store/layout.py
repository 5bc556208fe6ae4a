"""How the graph stands in a store: labels, properties, constraints and the Cypher that writes and reads it.

A node has its kind as label and, where it is a stock, fund or bond, the second label Asset; its properties are those
of `pathfolio.kg.graph.Nodes`, absent where they are empty. A relation has its kind as type and one relationship per
dated version with `as_of` and `known_at` (absent where the source gives no day), `source`, where there are any
`weight`, `value`, `amount` and `qualifier`, and two days that say when it was the current version: `current_from <= D <
current_until` (`pathfolio.kg.store.lifetimes`), from 1900-01-01 on where no day is told. What `value` and `qualifier`
mean differs by relation; under a name of its own (`OWN_NAMES`) each stands there, too. Every node has a `name`: where
the source gives none it is the id, and `name_is_id` says so; likewise `is_undated` where it tells no `known_at`. One
node labelled PathfolioGraph says whose graph it is.

Labels and types come from the schema alone, values from parameters alone.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pathfolio.kg.schema import ASSET_KINDS, ASSET_LABEL, NODE_KINDS, RELATION_KINDS, UNDATED, NodeKind, Relation

META_LABEL: Final = "PathfolioGraph"

LAYOUT: Final = 3
"""Which version of this layout a store was loaded in; a load brings one of another version up to date."""

NODE_TEXTS: Final = ("name", "name_local", "ticker", "isin", "currency", "income_band")
NODE_PROPERTIES: Final = (*NODE_TEXTS, "birth_year", "listed", "known_at")
"""Properties of a node beside its id, in the order in which rows carry them."""

EDGE_PROPERTIES: Final = ("weight", "value", "amount", "qualifier", "source", "current_from", "current_until")
"""Properties of a relation beside as_of and known_at, in the order in which rows carry them."""

VECTOR: Final = "embedding"
"""The property of nodes that holds what was learned of them."""

EDGE_DAYS: Final = frozenset({"as_of", "known_at", "current_from", "current_until"})
"""Those properties of a relation that are days."""

OWN_NAMES: Final = MappingProxyType(
    {
        Relation.HOLDS: {"value": "units"},
        Relation.HELD: {"value": "units"},
        Relation.BOUGHT: {"value": "units"},
        Relation.SOLD: {"value": "units"},
        Relation.HAS_FACT: {"qualifier": "unit"},
        Relation.RATED_BY: {"value": "target_price_usd", "qualifier": "rating"},
    }
)
"""What a relation's value and qualifier are, as properties beside these; they are written and not read back."""

_TYPES: Final = "[" + ", ".join(f"'{relation.value}'" for relation in RELATION_KINDS) + "]"


def labels(kind: NodeKind) -> str:
    """The labels of a kind in Cypher.

    >>> labels(NodeKind.STOCK), labels(NodeKind.USER)
    ('Stock:Asset', 'User')
    """
    return f"{kind.value}:{ASSET_LABEL}" if kind in ASSET_KINDS else kind.value


def constraints() -> list[str]:
    """Statements that make ids unique and findable; each does nothing where it has been run before."""
    unique = [
        f"CREATE CONSTRAINT pathfolio_{kind.lower()}_id IF NOT EXISTS FOR (n:{kind.value}) REQUIRE n.id IS UNIQUE"
        for kind in NODE_KINDS
    ]
    asset = f"CREATE CONSTRAINT pathfolio_asset_id IF NOT EXISTS FOR (n:{ASSET_LABEL}) REQUIRE n.id IS UNIQUE"
    meta = f"CREATE CONSTRAINT pathfolio_graph IF NOT EXISTS FOR (n:{META_LABEL}) REQUIRE n.id IS UNIQUE"
    by_name = [
        f"CREATE INDEX pathfolio_asset_{name} IF NOT EXISTS FOR (n:{ASSET_LABEL}) ON (n.{name})"
        for name in ("ticker", "isin")
    ]
    return [meta, *unique, asset, *by_name]


# -- writing -------------------------------------------------------------------------------------------------


def merge_nodes(kind: NodeKind) -> str:
    """$rows: [id, *NODE_PROPERTIES], known_at null for none; null takes a property away."""
    undated = f"n.is_undated = CASE WHEN row[{1 + NODE_PROPERTIES.index('known_at')}] IS NULL THEN true END"
    named = "n.name = coalesce(row[1], row[0]), n.name_is_id = CASE WHEN row[1] IS NULL THEN true END"
    others = [f"n.{name} = row[{at}]" for at, name in enumerate(NODE_PROPERTIES, 1) if name != "name"]
    settings = ", ".join([named, undated, *others])
    return f"UNWIND $rows AS row MERGE (n:{labels(kind)} {{id: row[0]}}) SET {settings}"


def _find_ends(head: NodeKind, tail: NodeKind) -> str:
    return f"MATCH (h:{head.value} {{id: row[0]}}) MATCH (t:{tail.value} {{id: row[1]}})"


def _edge_values(relation: Relation, constants: tuple[str, ...]) -> list[tuple[str, str]]:
    values = []
    own = OWN_NAMES.get(relation, {})
    for at, name in enumerate(EDGE_PROPERTIES, 4):
        in_row = f"$days[row[{at}]]" if name in EDGE_DAYS else f"row[{at}]"
        value = f"${name}" if name in constants else in_row
        values += [(name, value), *([(own[name], value)] if name in own else [])]
    return values


def create_edges(head: NodeKind, relation: Relation, tail: NodeKind, constants: tuple[str, ...]) -> str:
    """$rows: [head id, tail id, as_of, known_at, *EDGE_PROPERTIES]; `constants` are parameters of their own.

    Days in rows are places in the list $days, which has null for `UNDATED`: the driver takes ten times as long over a
    date as over a number.
    """
    pairs = [("as_of", "$days[row[2]]"), ("known_at", "$days[row[3]]"), *_edge_values(relation, constants)]
    properties = ", ".join(f"{name}: {value}" for name, value in pairs)
    return f"UNWIND $rows AS row {_find_ends(head, tail)} CREATE (h)-[:{relation.value} {{{properties}}}]->(t)"


def _dated(variable: str, name: str) -> str:
    return f"coalesce({variable}.{name}, date('{UNDATED}'))"


def delete_edges(head: NodeKind, relation: Relation, tail: NodeKind) -> str:
    """$rows: [head id, tail id, as_of, known_at], `UNDATED` for none."""
    where = " AND ".join(f"{_dated('r', name)} = row[{at}]" for at, name in enumerate(("as_of", "known_at"), 2))
    match = f"MATCH (h:{head.value} {{id: row[0]}})-[r:{relation.value}]->(t:{tail.value} {{id: row[1]}})"
    return f"UNWIND $rows AS row {match} WHERE {where} DELETE r"


def delete_nodes(kind: NodeKind) -> str:
    """$rows: ids; relations go with their nodes."""
    return f"UNWIND $rows AS row MATCH (n:{kind.value} {{id: row}}) DETACH DELETE n"


# -- reading -------------------------------------------------------------------------------------------------


def read_kind(kind: NodeKind, edge_properties: tuple[str, ...] = EDGE_PROPERTIES) -> str:
    """One row per node of a kind: id, *NODE_PROPERTIES, and a list of its outgoing versions known by $day.

    A version is [relation, tail's labels, tail's id, as_of, known_at, *edge_properties], days as ISO text: texts come
    over Bolt several times as fast as dates do.
    """
    columns = [_column("h", name) for name in NODE_PROPERTIES]
    days = [_dated("r", name) for name in ("as_of", "known_at")]
    edge = ["type(r)", "labels(t)", "t.id", *(f"toString({day})" for day in days)]
    edge += [_column("r", name) for name in edge_properties]
    told = "(r.source IS NOT NULL OR r.as_of IS NOT NULL)"
    known = f"type(r) IN {_TYPES} AND {told} AND {days[0]} <= $day AND {days[1]} <= $day"
    versions = f"[(h)-[r]->(t) WHERE {known} | [{', '.join(edge)}]]"
    return f"MATCH (h:{kind.value}) RETURN h.id, {', '.join(columns)}, {versions}"


def _column(variable: str, name: str) -> str:
    is_day = name in ("listed", "known_at", "current_from", "current_until")
    if variable == "h" and name == "name":
        return "CASE WHEN h.name_is_id THEN null ELSE h.name END"
    if variable == "h" and name == "known_at":
        return f"CASE WHEN h.is_undated THEN '{UNDATED}' ELSE toString(h.known_at) END"
    return f"toString({variable}.{name})" if is_day else f"{variable}.{name}"


READ_META: Final = f"MATCH (g:{META_LABEL}) RETURN properties(g)"
WRITE_META: Final = f"MERGE (g:{META_LABEL} {{id: 'graph'}}) SET g += $properties"
COUNT_ALL: Final = "MATCH (n) RETURN count(n)"


def count_kind(kind: NodeKind) -> str:
    """How many nodes of a kind there are."""
    return f"MATCH (n:{kind.value}) RETURN count(n)"


def count_relation(relation: Relation) -> str:
    """How many versions of a relation there are."""
    return f"MATCH ()-[r:{relation.value}]->() RETURN count(r)"
