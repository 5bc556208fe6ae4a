"""Small random markets: every relation of the schema, names that are hard to tell apart, several dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from pathfolio.kg.compile import compile_graph
from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.paths import FoundPath, PathFinder
from pathfolio.kg.schema import ASSET_KINDS, RELATIONS, TRADES, NodeKind, Relation, Role
from pathfolio.recommender.account import HOLDS_OR_HELD, OTHER_INVESTORS, ChannelAccount, ScoreAccount, Walk
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions

DAY = date(2026, 6, 30)


def random_market(seed: int, *, users: int = 6, assets: int = 8, labels: int = 2, edges: int = 90) -> KnowledgeGraph:
    """A snapshot with about `edges` edges, drawn over all relations; deterministic for a seed."""
    rng = np.random.default_rng(seed)
    ids = {kind: [f"{kind.value}{i}" for i in range(labels)] for kind in NodeKind}
    ids[NodeKind.USER] = [f"u{i}" for i in range(users)]
    for number, kind in enumerate(ASSET_KINDS):
        ids[kind] = [f"a{i}" for i in range(assets) if i % len(ASSET_KINDS) == number]
    rows = []
    relations = [Relation.HOLDS, Relation.HELD, Relation.HAS_RISK, Relation.INVESTS_IN]
    relations += [
        relation for relation in Relation if relation not in TRADES and RELATIONS[relation].role is not Role.CHOICE
    ]
    for _ in range(edges):
        relation = relations[rng.integers(len(relations))]
        spec = RELATIONS[relation]
        head_kind, tail_kind = (kinds[rng.integers(len(kinds))] for kinds in (spec.heads, spec.tails))
        head, tail = (str(rng.choice(ids[kind])) for kind in (head_kind, tail_kind))
        if head != tail:
            day = to_days(DAY) - int(rng.integers(400))
            weight = float(rng.uniform(0.05, 0.9)) if spec.weight and rng.random() < 0.8 else np.nan
            rows.append((relation.value, head_kind.value, head, tail_kind.value, tail, weight, day, day))
    columns = ["relation", "head_kind", "head_id", "tail_kind", "tail_id", "weight", "as_of", "known_at"]
    frame = pd.DataFrame(rows, columns=columns).assign(value=rng.uniform(0, 30, len(rows)), qualifier="", source="dice")
    nodes = pd.DataFrame([(kind.value, key) for kind, keys in ids.items() for key in keys], columns=["kind", "id"])
    nodes["name"] = nodes["id"].str.upper()
    return compile_graph(nodes, frame, DAY, name="Random market")


_AWKWARD = (
    "Bread, Butter and Jam", "Up 12.5% (Growth)", "Which You Hold Ltd.", "台積電與「夥伴」", "Ω Ελλάς Α.Ε.",
    "O'Neil & Sons", "<b>Bold</b>", "this stock", "Nothing. Else", "A", "10 other investors", "半導體、設備",
    "NaN", "Fund of Funds; Plc",
)  # fmt: skip
_TYPICAL = {"pe_ratio": (20, 8), "dividend_yield": (0.03, 0.02), "expense_ratio": (0.01, 0.005), "roe": (0.1, 0.1)}
_OF_CLOSES = {
    "last_close": 50,
    "annual_return_3y": 0.08,
    "volatility_3y": 0.2,
    "sharpe_3y": 0.4,
    "max_drawdown_3y": -0.3,
}
_METRICS = ("return_1y", *_TYPICAL)
_LEVELS = {
    NodeKind.RISK_LEVEL: ("Conservative", "Balanced", "Aggressive", "Whatever"),
    NodeKind.RISK_RATING: ("RR1", "RR3", "RR5"),
    NodeKind.OBJECTIVE: ("Income", "Growth"),
    NodeKind.METRIC: (*_METRICS, *_OF_CLOSES, "category_rank_1y"),
    NodeKind.INDUSTRY: ("Semiconductors",),
    NodeKind.CATEGORY: ("Equity", "Balanced", "Bonds", "Money Market", "Real Estate"),
}


def lively_market(seed: int, *, users: int = 90, assets: int = 54) -> KnowledgeGraph:
    """A market in which every kind of reason has something to speak of, with names made to trip a parser.

    The first assets of each kind are liked most, so that groups of co-investors are large enough to be told of.
    """
    rng = np.random.default_rng(seed)
    ids = {kind: list(_LEVELS.get(kind, [f"{kind.value} {i}" for i in range(2)])) for kind in NodeKind}
    ids[NodeKind.USER] = [f"u{i}" for i in range(users)]
    ids[NodeKind.ANALYST_FIRM] = [f"firm {i}" for i in range(6)]
    for kind, share in zip(ASSET_KINDS, (2, 3, 6), strict=True):
        ids[kind] = [f"{kind.value[0]}{i}" for i in range(assets // share)]
    rows = [row for user in ids[NodeKind.USER] for row in _investor(user, ids, rng)]
    rows += [row for kind in ASSET_KINDS for key in ids[kind] for row in _asset((kind, key), ids, rng)]
    rows += [*_places(rows), *_of_closes(ids, np.random.default_rng(seed + 1))]
    nodes = pd.DataFrame([(kind.value, key) for kind, keys in ids.items() for key in keys], columns=["kind", "id"])
    is_asset = nodes["kind"].isin([kind.value for kind in ASSET_KINDS])
    nodes["name"] = [f"{rng.choice(_AWKWARD)} {i}" if asset else None for i, asset in enumerate(is_asset)]
    nodes["listed"] = [to_days(DAY) - int(rng.integers(1, 300)) if asset else None for asset in is_asset]
    nodes["known_at"] = to_days(DAY) - 600
    return compile_graph(nodes, pd.DataFrame(rows).assign(source="dice"), DAY, name="Lively market")


Ids = dict[NodeKind, list[str]]
Node = tuple[NodeKind, str]


def _edge(relation: Relation, head: Node, tail: Node, age: int = 30, **more: object) -> dict[str, object]:
    day = to_days(DAY) - age
    ends = {"head_kind": head[0].value, "head_id": head[1], "tail_kind": tail[0].value, "tail_id": tail[1]}
    nothing = {"weight": np.nan, "value": np.nan, "qualifier": ""}
    return {"relation": relation.value, **ends, **nothing, "as_of": day, "known_at": day, **more}


def _investor(user: str, ids: Ids, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    assets = [(kind, key) for kind in ASSET_KINDS for key in ids[kind]]
    liked = np.array([1.0 / (1 + int(key[1:])) for _, key in assets])
    for at in rng.choice(len(assets), rng.integers(1, min(14, len(assets))), replace=False, p=liked / liked.sum()):
        relation = Relation.HELD if rng.random() < 0.2 else Relation.HOLDS
        weight = float(rng.uniform(0, 0.3)) if rng.random() < 0.7 else np.nan
        yield _edge(relation, (NodeKind.USER, user), assets[at], weight=weight)
    for relation in (Relation.HAS_RISK, Relation.SEEKS, Relation.IN_SEGMENT):
        if rng.random() < 0.9:
            kind = RELATIONS[relation].tails[0]
            yield _edge(relation, (NodeKind.USER, user), (kind, str(rng.choice(ids[kind]))))


def _asset(asset: Node, ids: Ids, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    for relation in (r for r in Relation if asset[0] in RELATIONS[r].heads and r is not Relation.HAS_FACT):
        several = relation in (Relation.RATED_BY, Relation.INVESTS_IN)
        for _ in range(int(rng.integers(6)) if several else int(rng.random() < 0.7)):
            kinds = RELATIONS[relation].tails
            kind = kinds[rng.integers(len(kinds))]
            tail = (kind, str(rng.choice(ids[kind])))
            word = str(rng.choice(["Buy", "Outperform", "Hold", "Sell"], p=[0.4, 0.3, 0.1, 0.2]))
            if tail != asset:
                age = 40 if relation is Relation.INVESTS_IN else int(rng.integers(1, 500))
                yield _edge(relation, asset, tail, age, weight=float(rng.uniform(0, 0.4)), qualifier=word)
    for metric in _METRICS:
        if rng.random() < 0.8:
            value = rng.normal(0.05, 0.2) if metric == "return_1y" else abs(rng.normal(*_TYPICAL[metric]))
            yield _edge(Relation.HAS_FACT, asset, (NodeKind.METRIC, metric), int(rng.integers(1, 50)), value=value)


def _of_closes(ids: Ids, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    for asset in ((kind, key) for kind in ASSET_KINDS for key in ids[kind] if rng.random() < 0.7):
        for metric, middle in _OF_CLOSES.items():
            yield _edge(Relation.HAS_FACT, asset, (NodeKind.METRIC, metric), 5, value=middle * rng.uniform(0.2, 2))


def _places(rows: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Each fund's place by its return in its category, among those of about the same day."""
    frame = pd.DataFrame(rows).query("head_kind == 'Fund'")
    category = frame.query("relation == 'IN_CATEGORY'").set_index("head_id")["tail_id"]
    returns = frame.query("tail_id == 'return_1y'").set_index("head_id")
    returns["category"] = category.reindex(returns.index)
    for fund, own in returns.dropna(subset="category").iterrows():
        peers = returns[(returns["category"] == own["category"]) & ((returns["as_of"] - own["as_of"]).abs() <= 31)]
        rank, tail = 1 + int((peers["value"] > own["value"]).sum()), (NodeKind.METRIC, "category_rank_1y")
        age, unit = to_days(DAY) - int(own["as_of"]), f"of {len(peers)}"
        yield _edge(Relation.HAS_FACT, (NodeKind.FUND, str(fund)), tail, age, value=rank, qualifier=unit)


_CHANNEL_OF = {
    Relation.IN_INDUSTRY: "industry",
    Relation.IN_SECTOR: "sector",
    Relation.IN_CATEGORY: "category",
    Relation.ISSUED_BY: "issuer",
    Relation.LISTED_ON: "market",
    Relation.INVESTS_IN: "fund_holdings",
    Relation.IN_CONCEPT: "concept",
}


def ever_holders(graph: KnowledgeGraph, asset: int) -> set[int]:
    """Rows of the investors who hold the asset at row `asset` or held it."""
    return {row for relation in (Relation.HOLDS, Relation.HELD) for row in graph.incoming(relation).of(asset).tolist()}


def told_walk(groups: Groups, path: FoundPath) -> tuple[tuple[str, ...], int] | None:
    """Relations and count of the walk that a path stands for; None where it goes through too few other investors."""
    graph = groups.interactions.graph
    relations: tuple[str, ...] = tuple(relation.value for relation in path.metapath.relations)
    if OTHER_INVESTORS not in path.nodes:
        return relations, path.count
    user, left, _, target = path.nodes
    asset = target - int(graph.assets[0])
    holders = ever_holders(graph, target)
    if graph.kind_of(left) in ASSET_KINDS:
        told = int(groups.together[left - int(graph.assets[0]), asset])
        own, relations = user in holders & ever_holders(graph, left), (relations[0], HOLDS_OR_HELD, HOLDS_OR_HELD)
    elif relations[-1] == Relation.HOLDS:
        told = int(groups.of_level_and_asset[np.searchsorted(groups.levels, left), asset])
        own, relations = user in holders, (*relations[:2], HOLDS_OR_HELD)
    else:
        return None
    return (relations, told - own) if told else None


def random_account(finder: PathFinder, user: int, asset: int, seed: int) -> ScoreAccount:
    """An account over all paths between two rows, with contributions drawn by lot, some of them negative."""
    rng, groups = np.random.default_rng(seed), Groups(Interactions(finder.graph))
    walks: dict[str, list[Walk]] = {}
    for path in finder.find(np.array([user]), np.array([asset]), top=4 if seed % 2 else None).of(0):
        relations = path.metapath.relations
        channel = _CHANNEL_OF.get(relations[-1], "business")
        if OTHER_INVESTORS in path.nodes:
            channel = "co_investment" if finder.graph.kind_of(path.nodes[1]) in ASSET_KINDS else "profile"
        learned = rng.random() < 0.2 and OTHER_INVESTORS not in path.nodes
        channel = str(rng.choice(["gat", "kg_embedding", "own_vectors"])) if learned else channel
        part, told = float(rng.normal(0.2, 0.2)), told_walk(groups, path)
        if told is not None:
            walks.setdefault(channel, []).append(Walk(path.nodes, told[0], part, told[1]))
    parts = []
    for name, of_channel in walks.items():
        rest = float(rng.normal(0, 0.05))
        parts.append(ChannelAccount(name, sum(w.contribution for w in of_channel) + rest, tuple(of_channel), rest))
    base = (("popularity", float(rng.random())),)
    return ScoreAccount(user, asset, base[0][1] + sum(part.value for part in parts), base, tuple(parts))
