"""What explaining costs: path finding against networkx, whole explanations, and how both grow with the graph."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Final

import networkx as nx
import numpy as np

from explain.explainer import Explainer
from kg.graph import NO_DAY, Edges, IntArray, KnowledgeGraph, Nodes, to_days
from kg.paths import PathFinder
from kg.progress import peak_memory_mb
from kg.schema import KIND_CODE, RELATION_CODE, NodeKind, Relation
from recommender.build import Build
from recommender.retrieve import rank_assets
from web.benchmarks.figures import Figure, seconds

PAIRS: Final = 20_000
SCALES: Final = ((10_000, 200, 100_000), (100_000, 2_000, 1_000_000), (1_000_000, 20_000, 10_000_000))
"""Investors, assets and positions of the generated graphs: ten positions each, and as many holders per asset."""

_DAY: Final = date(2026, 6, 30)


def paths(build: Build) -> list[Figure]:
    """The ten best paths to three hops of a pair, in batch, against networkx on the same graph (fewer pairs)."""
    users, assets = _listed(build, PAIRS)
    finder = PathFinder(build.graph)
    ours = seconds(lambda: finder.find(users, assets, top=10), runs=3, warm=1) / len(users)
    graph = _undirected(build.graph)
    few = list(zip(users[:3].tolist(), assets[:3].tolist(), strict=True))
    theirs = seconds(lambda: [list(nx.all_simple_edge_paths(graph, u, a, 3)) for u, a in few], runs=1) / len(few)
    name = f"ten best paths of a pair, of {len(users):,}"
    return [Figure(name, ours * 1e3, "ms", "networkx all_simple_edge_paths", theirs * 1e3)]


def explanations(build: Build) -> list[Figure]:
    """Whole explanations with reasons in one language, on one core, against the accounts of their scores alone."""
    users, assets = _listed(build, 2000)
    first_user, first_asset = int(build.graph.users[0]), int(build.graph.assets[0])
    pairs = list(zip((users - first_user).tolist(), (assets - first_asset).tolist(), strict=True))
    explainer, scorer = Explainer(build.graph, build.build_hash), build.scorer
    whole = seconds(lambda: [explainer.explain(scorer.account(u, a), 1, ("en",)) for u, a in pairs], runs=3, warm=1)
    alone = seconds(lambda: [scorer.account(u, a) for u, a in pairs], runs=3)
    return [Figure("one explanation", whole / len(pairs) * 1e3, "ms", "its account", alone / len(pairs) * 1e3)]


def scale(_build: Build) -> list[Figure]:
    """Time per pair as the graph grows at equal degree, against the smallest; and the index's memory."""
    out, reference = [], 0.0
    for n_users, n_assets, n_positions in SCALES:
        graph = crowd(n_users, n_assets, n_positions)
        rng = np.random.default_rng(1)
        users, assets = rng.choice(graph.users, PAIRS), rng.choice(graph.assets, PAIRS)
        finder = PathFinder(graph)
        per_pair = seconds(partial(finder.find, users, assets, 10), runs=3, warm=1) / PAIRS * 1e3
        reference = reference or per_pair
        name = f"pair among {n_positions:,} positions ({peak_memory_mb() / 1e3:.1f} GB at most)"
        out.append(Figure(name, per_pair, "ms", f"among {SCALES[0][2]:,}", reference))
        del graph, finder
    return out


def crowd(n_users: int, n_assets: int, n_positions: int, seed: int = 0) -> KnowledgeGraph:
    """A graph of investors with random positions in stocks of 100 industries, 20 sectors and 10 markets."""
    rng = np.random.default_rng(seed)
    labels = {NodeKind.INDUSTRY: n_assets // 20, NodeKind.SECTOR: max(n_assets // 100, 2), NodeKind.MARKET: 10}
    counts = {NodeKind.USER: n_users, NodeKind.STOCK: n_assets, **labels}
    start = dict(zip(counts, np.cumsum([0, *counts.values()])[:-1].tolist(), strict=True))
    keys = np.unique(rng.integers(0, n_users * n_assets, n_positions))
    stock = start[NodeKind.STOCK]
    parts = [(Relation.HOLDS, keys // n_assets, stock + keys % n_assets)]
    relations = {NodeKind.INDUSTRY: Relation.IN_INDUSTRY, NodeKind.SECTOR: Relation.IN_SECTOR}
    for kind, relation in {**relations, NodeKind.MARKET: Relation.LISTED_ON}.items():
        tails = start[kind] + rng.integers(0, counts[kind], n_assets)
        parts.append((relation, stock + np.arange(n_assets), tails))
    return KnowledgeGraph(_nodes(counts), _edges(parts), _DAY, "Crowd", is_sample=True)


def _nodes(counts: dict[NodeKind, int]) -> Nodes:
    n = sum(counts.values())
    kind = np.repeat([KIND_CODE[k] for k in counts], list(counts.values())).astype(np.int8)
    ids = np.array([f"{k.value}{i:07d}" for k, count in counts.items() for i in range(count)], dtype=object)
    empty = np.full(n, "", dtype=object)
    texts = dict.fromkeys(("name", "name_local", "ticker", "isin", "currency", "income_band"), empty)
    known = np.full(n, to_days(_DAY) - 100, np.int32)
    day = np.full(n, NO_DAY, np.int32)
    return Nodes(kind=kind, id=ids, birth_year=np.full(n, np.nan), listed=day, known_at=known, **texts)


def _edges(parts: list[tuple[Relation, IntArray, IntArray]]) -> Edges:
    relation = np.concatenate([np.full(len(head), RELATION_CODE[r], np.int8) for r, head, _ in parts])
    head, tail = (np.concatenate([part[side] for part in parts]).astype(np.int32) for side in (1, 2))
    n, day = len(head), np.full(len(head), to_days(_DAY) - 30, np.int32)
    text, nothing = np.full(n, "", dtype=object), np.full(n, np.nan)
    return Edges(relation, head, tail, nothing, nothing, text, text, day, day)


def _listed(build: Build, most: int) -> tuple[IntArray, IntArray]:
    """Rows of investors who hold something and of the assets on their lists."""
    scorer, rng = build.scorer, np.random.default_rng(0)
    active = np.flatnonzero(np.diff(scorer.interactions.ever.indptr) > 0)
    users = rng.choice(active, min(most // 10, len(active)), replace=False)
    lists = [(chunk, best) for chunk, best, _ in rank_assets(scorer, users, 10, None, include_held=False)]
    first = np.concatenate([np.repeat(chunk, best.shape[1]) for chunk, best in lists])
    second = np.concatenate([best.ravel() for _, best in lists])
    keep = second >= 0
    return build.graph.users[first[keep]], build.graph.assets[second[keep]]


def _undirected(graph: KnowledgeGraph) -> nx.MultiGraph[int]:
    out: nx.MultiGraph[int] = nx.MultiGraph()
    at = np.flatnonzero(graph.current)
    out.add_edges_from(zip(graph.edges.head[at].tolist(), graph.edges.tail[at].tolist(), strict=True))
    return out
