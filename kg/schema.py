"""The node and relation kinds of the graph: the one place where they are declared.

Labels and types in Cypher, columns of tables and of the snapshot, metapaths, attribute channels, what models read, and
which reasons tell of what two assets share all come from here. A new kind is a line in its enumeration, at the end,
since snapshots number the kinds in that order, and for a relation an entry of `RELATIONS`. Its words are texts of the
languages, under its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, Flag, StrEnum, auto
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
    ESG_RATING = "EsgRating"
    SUSTAINABILITY = "Sustainability"


ASSET_KINDS: Final = (NodeKind.STOCK, NodeKind.FUND, NodeKind.BOND)
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
    HAS_ESG_RATING = "HAS_ESG_RATING"
    PREFERS = "PREFERS"
    BOUGHT = "BOUGHT"
    SOLD = "SOLD"
    FOLLOWS = "FOLLOWS"
    DISMISSES = "DISMISSES"
    INTERESTED_IN = "INTERESTED_IN"


class Replaces(Enum):
    """What a newer version of a relation makes obsolete."""

    PAIR = "the older versions between the same two nodes"
    HEAD = "every older relation of this kind from the same node (it has one at a time)"
    STATEMENT = "every relation of this kind from the same node with an older date (a list that is published whole)"
    NOTHING = "none: each tells of its own day"


class Role(Enum):
    """What a relation tells."""

    POSITION = "an investor has an asset, or had it"
    TRADE = "an investor bought or sold an asset on a day; what it left them with is a position"
    PROFILE = "an investor's answer to the questionnaire, or the group they are in"
    HOLDING = "a fund has an asset"
    ATTRIBUTE = "what an asset is, or where it belongs"
    FACT = "a dated figure or opinion; the tail says nothing without the edge's value"
    BUSINESS = "a tie between two companies"
    CHOICE = "an investor's own choice of what their list is to be like; nobody else is told of it or counts by it"


class Use(Flag):
    """What reads an attribute, beside the channel that it feeds."""

    NOTHING = 0
    WALKS = auto()
    """Propagation of embeddings and graph attention: an asset is close to another through it."""
    TOWERS = auto()
    """The two towers' inputs, of assets and of investors; another one is another network, trained anew."""
    SIMILARITY = auto()
    """Content-based neighbours, a baseline."""
    PAIRS = auto()
    """Features of pairs that learn to rank, a baseline."""
    PEERS = auto()
    """Figures of assets that share it are compared; of several, the first in which enough have the figure."""
    INTEREST = auto()
    """An investor may say that it is of interest."""


@dataclass(frozen=True)
class SharedChannel:
    """The part of the score that tells what an asset shares with those an investor has.

    Attributes:
        in_full: each node counts 1 however many assets share it; else the fewer share it the more it counts.
        through: a relation to a node that has the attribute in the place of an asset that has none of its own.
    """

    name: str
    in_full: bool = False
    through: Relation | None = None


@dataclass(frozen=True)
class RelationSpec:
    """All that is to be known of a relation's kind.

    Attributes:
        heads, tails: what it may join.
        role: what it tells.
        replaces: how its dated versions replace each other.
        weight, value, amount, qualifier: what these edge properties mean for the relation; empty where it has none.
        column: of the table users (for a `PROFILE`) or assets (for an `ATTRIBUTE`) whose cells it is made from.
        channel: that it feeds.
        reason: the name of the sentence that tells that two assets share it; empty where none does.
        uses: what else reads it.
    """

    heads: tuple[NodeKind, ...]
    tails: tuple[NodeKind, ...]
    role: Role
    replaces: Replaces = Replaces.PAIR
    weight: str = ""
    value: str = ""
    amount: str = ""
    qualifier: str = ""
    column: str = ""
    channel: SharedChannel | None = None
    reason: str = ""
    uses: Use = Use.NOTHING

    @property
    def is_level(self) -> bool:
        """Whether it is an answer, which is told on some day or estimated; a segment is neither."""
        return self.qualifier == _MARK


_POSITION_MARK: Final = "'transaction' where the very day is known, 'statement' where it changed some time before"
_MARK: Final = "'predicted' where the source estimated the level, empty where the investor stated it"


_MONEY: Final = "money, in the currency of the source"


def _trade() -> RelationSpec:
    return RelationSpec(
        (NodeKind.USER,),
        ASSET_KINDS,
        Role.TRADE,
        Replaces.NOTHING,
        value="units, of the whole day",
        amount=_MONEY,
        qualifier="the channel, where the day's trades had one",
    )


def _profile(tail: NodeKind, column: str, uses: Use = Use.NOTHING, qualifier: str = _MARK) -> RelationSpec:
    return RelationSpec(
        (NodeKind.USER,), (tail,), Role.PROFILE, Replaces.HEAD, qualifier=qualifier, column=column, uses=uses
    )


def _attribute(
    tail: NodeKind,
    column: str = "",
    channel: SharedChannel | None = None,
    reason: str = "",
    uses: Use = Use.NOTHING,
    also_of: tuple[NodeKind, ...] = (),
) -> RelationSpec:
    """An asset has one at a time; `also_of` are other kinds of node that have it."""
    heads = (*ASSET_KINDS, *also_of)
    return RelationSpec(
        heads, (tail,), Role.ATTRIBUTE, Replaces.HEAD, column=column, channel=channel, reason=reason, uses=uses
    )


_LEARNED: Final = Use.WALKS | Use.TOWERS | Use.SIMILARITY
_GROUP: Final = _LEARNED | Use.PAIRS | Use.PEERS | Use.INTEREST

RELATIONS: Final = MappingProxyType(
    {
        Relation.HOLDS: RelationSpec(
            (NodeKind.USER,),
            ASSET_KINDS,
            Role.POSITION,
            weight="fraction of the portfolio",
            value="units",
            amount=f"what the statement says that they are worth: {_MONEY}",
            qualifier=_POSITION_MARK,
        ),
        Relation.HELD: RelationSpec(
            (NodeKind.USER,),
            ASSET_KINDS,
            Role.POSITION,
            value="units left, 0 or a rounding rest",
            qualifier=_POSITION_MARK,
        ),
        Relation.HAS_RISK: _profile(NodeKind.RISK_LEVEL, "risk_level", Use.TOWERS),
        Relation.SEEKS: _profile(NodeKind.OBJECTIVE, "objective", Use.TOWERS),
        Relation.HAS_EXPERIENCE: _profile(NodeKind.EXPERIENCE, "experience", Use.TOWERS),
        Relation.HAS_CAPACITY: _profile(NodeKind.CAPACITY, "capacity", Use.TOWERS),
        Relation.IN_SEGMENT: _profile(NodeKind.SEGMENT, "segment", Use.TOWERS, qualifier=""),
        Relation.PREFERS: _profile(NodeKind.SUSTAINABILITY, "sustainability"),
        Relation.INVESTS_IN: RelationSpec(
            (NodeKind.FUND,),
            ASSET_KINDS,
            Role.HOLDING,
            Replaces.STATEMENT,
            weight="fraction of the fund's assets",
            uses=Use.SIMILARITY,
        ),
        Relation.IN_CLASS: _attribute(
            NodeKind.ASSET_CLASS,
            channel=SharedChannel("asset_class"),
            reason="shared_class",
            uses=_LEARNED | Use.PAIRS,
        ),
        Relation.IN_CATEGORY: _attribute(
            NodeKind.CATEGORY, "category", SharedChannel("category"), "shared_category", _GROUP
        ),
        Relation.IN_INDUSTRY: _attribute(
            NodeKind.INDUSTRY, "industry", SharedChannel("industry"), "shared_industry", _GROUP
        ),
        Relation.IN_SECTOR: _attribute(
            NodeKind.SECTOR, "sector", SharedChannel("sector"), "shared_sector", _GROUP, also_of=(NodeKind.INDUSTRY,)
        ),
        Relation.ISSUED_BY: _attribute(
            NodeKind.ISSUER, "issuer", SharedChannel("issuer", in_full=True), "shared_issuer", _LEARNED | Use.PAIRS
        ),
        Relation.LISTED_ON: _attribute(
            NodeKind.MARKET, "market", SharedChannel("market"), "shared_market", _LEARNED | Use.PAIRS
        ),
        Relation.IN_COUNTRY: _attribute(
            NodeKind.COUNTRY,
            "country",
            SharedChannel("country", through=Relation.LISTED_ON),
            "shared_country",
            Use.WALKS | Use.SIMILARITY,
            also_of=(NodeKind.MARKET,),
        ),
        Relation.HAS_RISK_RATING: _attribute(NodeKind.RISK_RATING, "risk_rating", uses=_LEARNED),
        Relation.IN_CONCEPT: RelationSpec(
            ASSET_KINDS,
            (NodeKind.CONCEPT,),
            Role.ATTRIBUTE,
            weight="strength",
            channel=SharedChannel("concept"),
            reason="shared_theme",
            uses=Use.WALKS,
        ),
        Relation.AFFECTED_BY: RelationSpec(ASSET_KINDS, (NodeKind.EVENT,), Role.ATTRIBUTE, weight="strength"),
        Relation.HAS_ESG_RATING: _attribute(
            NodeKind.ESG_RATING, "esg_rating", SharedChannel("esg_rating"), "shared_esg_rating", Use.SIMILARITY
        ),
        Relation.HAS_FACT: RelationSpec(
            ASSET_KINDS, (NodeKind.METRIC,), Role.FACT, value="the metric's value", qualifier="the metric's unit"
        ),
        Relation.RATED_BY: RelationSpec(
            ASSET_KINDS,
            (NodeKind.ANALYST_FIRM,),
            Role.FACT,
            value="target price, USD",
            qualifier="the rating as published",
        ),
        Relation.COMPETES_WITH: RelationSpec(ASSET_KINDS, ASSET_KINDS, Role.BUSINESS, weight="strength"),
        Relation.SUPPLIES: RelationSpec(
            ASSET_KINDS, ASSET_KINDS, Role.BUSINESS, weight="share of the customer's purchases"
        ),
        Relation.BOUGHT: _trade(),
        Relation.SOLD: _trade(),
        Relation.FOLLOWS: RelationSpec((NodeKind.USER,), ASSET_KINDS, Role.CHOICE),
        Relation.DISMISSES: RelationSpec((NodeKind.USER,), ASSET_KINDS, Role.CHOICE),
        Relation.INTERESTED_IN: RelationSpec(
            (NodeKind.USER,), (NodeKind.INDUSTRY, NodeKind.SECTOR, NodeKind.CATEGORY), Role.CHOICE
        ),
    }
)
"""Every kind of relation, in the order in which questions are asked, peers looked for and inputs of models numbered;
a new one comes after the others of its role, so that what models have learned stays."""

NODE_KINDS: Final = tuple(NodeKind)
RELATION_KINDS: Final = tuple(Relation)
KIND_CODE: Final = MappingProxyType({kind: code for code, kind in enumerate(NODE_KINDS)})
RELATION_CODE: Final = MappingProxyType({relation: code for code, relation in enumerate(RELATION_KINDS)})

ASSET_KIND_OF: Final = MappingProxyType({"stock": NodeKind.STOCK, "fund": NodeKind.FUND, "bond": NodeKind.BOND})
"""From the word used in tables and on the command line to the node kind."""


def of_role(role: Role) -> tuple[Relation, ...]:
    """The relations of a role, in the order of a snapshot's edges."""
    return tuple(relation for relation in Relation if RELATIONS[relation].role is role)


def used_for(use: Use) -> tuple[Relation, ...]:
    """The relations that something reads, in the order of `RELATIONS`.

    >>> [relation.value for relation in used_for(Use.PEERS)]
    ['IN_CATEGORY', 'IN_INDUSTRY', 'IN_SECTOR']
    """
    return tuple(relation for relation, spec in RELATIONS.items() if use in spec.uses)


def columns_of(role: Role) -> dict[str, Relation]:
    """Columns of users (`PROFILE`) or assets (`ATTRIBUTE`) to the relations made from them.

    >>> list(columns_of(Role.PROFILE))
    ['risk_level', 'objective', 'experience', 'capacity', 'segment', 'sustainability']
    """
    return {spec.column: relation for relation, spec in RELATIONS.items() if spec.role is role and spec.column}


def shared_channels() -> tuple[tuple[SharedChannel, Relation], ...]:
    """The channels of attributes and the relations that feed them, in the order in which accounts tell them: first
    what counts in full, last what assets may also have through another node; else in the order of `RELATIONS`.

    >>> [channel.name for channel, _ in shared_channels()]
    ['issuer', 'asset_class', 'category', 'industry', 'sector', 'market', 'concept', 'esg_rating', 'country']
    """
    found = [(spec.channel, relation) for relation, spec in RELATIONS.items() if spec.channel is not None]
    return tuple(sorted(found, key=lambda pair: (not pair[0].in_full, pair[0].through is not None)))


POSITIONS: Final = of_role(Role.POSITION)
POSITION_CODES: Final = tuple(RELATION_CODE[relation] for relation in POSITIONS)
TRADES: Final = of_role(Role.TRADE)
PROFILE_RELATIONS: Final = of_role(Role.PROFILE)
PROFILE_KINDS: Final = tuple(RELATIONS[relation].tails[0] for relation in PROFILE_RELATIONS)
ATTRIBUTE_RELATIONS: Final = of_role(Role.ATTRIBUTE)
CHOICES: Final = of_role(Role.CHOICE)
OF_INVESTORS: Final = frozenset((*POSITIONS, *TRADES, *PROFILE_RELATIONS, *CHOICES))
"""Relations that tell of investors."""

_PROFILE_TO: Final = MappingProxyType({RELATIONS[relation].tails[0]: relation for relation in PROFILE_RELATIONS})
_ATTRIBUTE_TO: Final = MappingProxyType({RELATIONS[relation].tails[0]: relation for relation in ATTRIBUTE_RELATIONS})


def profile_relation(kind: NodeKind) -> Relation:
    """The relation by which an investor has a level of this kind.

    >>> profile_relation(NodeKind.OBJECTIVE)
    <Relation.SEEKS: 'SEEKS'>
    """
    return _PROFILE_TO[kind]


def attribute_relation(kind: NodeKind) -> Relation:
    """The relation by which an asset has an attribute of this kind.

    >>> attribute_relation(NodeKind.ISSUER)
    <Relation.ISSUED_BY: 'ISSUED_BY'>
    """
    return _ATTRIBUTE_TO[kind]
