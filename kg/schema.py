"""The node and relation kinds of the graph: the one place where they are named.

Labels and types in Cypher, columns of the snapshot and the metapaths of the explanations all come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

SCHEMA_VERSION: Final = 1

UNDATED: Final = date(1900, 1, 1)
"""Stands for a fact whose source gives no date (an asset's industry in a list without dates)."""


class NodeKind(StrEnum):
    """Kinds of node, in the order of their rows in a snapshot; the three asset kinds are neighbours."""

    USER = "User"
    STOCK = "Stock"
    FUND = "Fund"
    BOND = "Bond"
    INDUSTRY = "Industry"
    SECTOR = "Sector"
    MARKET = "Market"
    COUNTRY = "Country"
    CATEGORY = "Category"
    ASSET_CLASS = "AssetClass"
    ISSUER = "Issuer"
    RISK_LEVEL = "RiskLevel"
    RISK_RATING = "RiskRating"
    OBJECTIVE = "Objective"
    CAPACITY = "Capacity"
    EXPERIENCE = "Experience"
    SEGMENT = "Segment"
    METRIC = "Metric"
    ANALYST_FIRM = "AnalystFirm"
    CONCEPT = "Concept"
    EVENT = "Event"


ASSET_KINDS: Final = (NodeKind.STOCK, NodeKind.FUND, NodeKind.BOND)
PROFILE_KINDS: Final = (
    NodeKind.RISK_LEVEL,
    NodeKind.OBJECTIVE,
    NodeKind.CAPACITY,
    NodeKind.EXPERIENCE,
    NodeKind.SEGMENT,
)
ASSET_LABEL: Final = "Asset"
"""The second label that stocks, funds and bonds carry in the graph store."""


class Relation(StrEnum):
    """Kinds of relation, in the order in which a snapshot sorts its edges."""

    HOLDS = "HOLDS"
    HELD = "HELD"
    HAS_RISK = "HAS_RISK"
    SEEKS = "SEEKS"
    HAS_CAPACITY = "HAS_CAPACITY"
    HAS_EXPERIENCE = "HAS_EXPERIENCE"
    IN_SEGMENT = "IN_SEGMENT"
    INVESTS_IN = "INVESTS_IN"
    IN_INDUSTRY = "IN_INDUSTRY"
    IN_SECTOR = "IN_SECTOR"
    IN_CATEGORY = "IN_CATEGORY"
    IN_CLASS = "IN_CLASS"
    ISSUED_BY = "ISSUED_BY"
    LISTED_ON = "LISTED_ON"
    IN_COUNTRY = "IN_COUNTRY"
    HAS_RISK_RATING = "HAS_RISK_RATING"
    HAS_FACT = "HAS_FACT"
    RATED_BY = "RATED_BY"
    COMPETES_WITH = "COMPETES_WITH"
    SUPPLIES = "SUPPLIES"
    IN_CONCEPT = "IN_CONCEPT"
    AFFECTED_BY = "AFFECTED_BY"


class Replaces(Enum):
    """What a newer version of a relation makes obsolete."""

    PAIR = "the older versions between the same two nodes"
    HEAD = "every older relation of this kind from the same node (it has one at a time)"
    STATEMENT = "every relation of this kind from the same node with an older date (a list that is published whole)"


@dataclass(frozen=True)
class RelationSpec:
    """What a relation may join and how its dated versions replace each other.

    `value` and `qualifier` say what these two edge properties mean for the relation; empty where it has none.
    """

    heads: tuple[NodeKind, ...]
    tails: tuple[NodeKind, ...]
    replaces: Replaces = Replaces.PAIR
    weight: str = ""
    value: str = ""
    qualifier: str = ""


_USER = (NodeKind.USER,)
_POSITION_MARK = "'transaction' where the very day is known, 'statement' where it changed some time before"
_MARK = "'predicted' where the source estimated the level, empty where the investor stated it"

RELATIONS: Final = MappingProxyType(
    {
        Relation.HOLDS: RelationSpec(
            _USER, ASSET_KINDS, weight="fraction of the portfolio", value="units", qualifier=_POSITION_MARK
        ),
        Relation.HELD: RelationSpec(
            _USER, ASSET_KINDS, value="units left, 0 or a rounding rest", qualifier=_POSITION_MARK
        ),
        Relation.HAS_RISK: RelationSpec(_USER, (NodeKind.RISK_LEVEL,), Replaces.HEAD, qualifier=_MARK),
        Relation.SEEKS: RelationSpec(_USER, (NodeKind.OBJECTIVE,), Replaces.HEAD, qualifier=_MARK),
        Relation.HAS_CAPACITY: RelationSpec(_USER, (NodeKind.CAPACITY,), Replaces.HEAD, qualifier=_MARK),
        Relation.HAS_EXPERIENCE: RelationSpec(_USER, (NodeKind.EXPERIENCE,), Replaces.HEAD, qualifier=_MARK),
        Relation.IN_SEGMENT: RelationSpec(_USER, (NodeKind.SEGMENT,), Replaces.HEAD),
        Relation.INVESTS_IN: RelationSpec(
            (NodeKind.FUND,), ASSET_KINDS, Replaces.STATEMENT, weight="fraction of the fund's assets"
        ),
        Relation.IN_INDUSTRY: RelationSpec(ASSET_KINDS, (NodeKind.INDUSTRY,), Replaces.HEAD),
        Relation.IN_SECTOR: RelationSpec((*ASSET_KINDS, NodeKind.INDUSTRY), (NodeKind.SECTOR,), Replaces.HEAD),
        Relation.IN_CATEGORY: RelationSpec(ASSET_KINDS, (NodeKind.CATEGORY,), Replaces.HEAD),
        Relation.IN_CLASS: RelationSpec(ASSET_KINDS, (NodeKind.ASSET_CLASS,), Replaces.HEAD),
        Relation.ISSUED_BY: RelationSpec(ASSET_KINDS, (NodeKind.ISSUER,), Replaces.HEAD),
        Relation.LISTED_ON: RelationSpec(ASSET_KINDS, (NodeKind.MARKET,), Replaces.HEAD),
        Relation.IN_COUNTRY: RelationSpec((*ASSET_KINDS, NodeKind.MARKET), (NodeKind.COUNTRY,), Replaces.HEAD),
        Relation.HAS_RISK_RATING: RelationSpec(ASSET_KINDS, (NodeKind.RISK_RATING,), Replaces.HEAD),
        Relation.HAS_FACT: RelationSpec(
            ASSET_KINDS, (NodeKind.METRIC,), value="the metric's value", qualifier="the metric's unit"
        ),
        Relation.RATED_BY: RelationSpec(
            ASSET_KINDS, (NodeKind.ANALYST_FIRM,), value="target price, USD", qualifier="the rating as published"
        ),
        Relation.COMPETES_WITH: RelationSpec(ASSET_KINDS, ASSET_KINDS, weight="strength"),
        Relation.SUPPLIES: RelationSpec(ASSET_KINDS, ASSET_KINDS, weight="share of the customer's purchases"),
        Relation.IN_CONCEPT: RelationSpec(ASSET_KINDS, (NodeKind.CONCEPT,), weight="strength"),
        Relation.AFFECTED_BY: RelationSpec(ASSET_KINDS, (NodeKind.EVENT,), weight="strength"),
    }
)

NODE_KINDS: Final = tuple(NodeKind)
RELATION_KINDS: Final = tuple(Relation)
KIND_CODE: Final = MappingProxyType({kind: code for code, kind in enumerate(NODE_KINDS)})
RELATION_CODE: Final = MappingProxyType({relation: code for code, relation in enumerate(RELATION_KINDS)})

ASSET_KIND_OF: Final = MappingProxyType({"stock": NodeKind.STOCK, "fund": NodeKind.FUND, "bond": NodeKind.BOND})
"""From the word used in tables and on the command line to the node kind."""
