"""What explaining costs: path finding against networkx and igraph, whole explanations, and growth with the graph."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import networkx as nx
import numpy as np

from pathfolio.explain.batch import explain_all
from pathfolio.explain.evaluation.faithfulness import OURS, RANDOM
from pathfolio.explain.evaluation.gat_explainers import GNN_EXPLAINER, GRADIENT
from pathfolio.explain.evaluation.measures import ExplanationSample, evaluate_explanations
from pathfolio.explain.explainer import Explainer
from pathfolio.kg.graph import NO_DAY, Edges, IntArray, KnowledgeGraph, Nodes, to_days
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.paths import PathFinder
from pathfolio.kg.progress import Progress, peak_memory_mb
from pathfolio.kg.schema import KIND_CODE, RELATION_CODE, NodeKind, Relation, attribute_relation
from pathfolio.kg.span import Position, Positions, Rows
from pathfolio.kg.workers import CAN_FORK, answers
from pathfolio.recommender.build import Build
from pathfolio.recommender.retrieve import rank_assets
from pathfolio.web.benchmarks.measured import Measured, seconds

PAIRS: Final = 20_000
HOPS: Final = 3
SCALES: Final = ((10_000, 200, 100_000), (100_000, 2_000, 1_000_000), (1_000_000, 20_000, 10_000_000))
"""Investors, assets and positions of the generated graphs: ten positions each, and as many holders per asset."""

_DAY: Final = date(2026, 6, 30)


def paths(build: Build) -> list[Measured]:
    """The ten best paths to three hops of a pair, in batch on one core, against libraries that list all paths.

    The libraries are asked for few of the same pairs, on the same current edges without directions.
    """
    listed = _listed(build, PAIRS)
    users = build.graph.user_span.row(listed[0])
    assets = build.graph.asset_span.row(listed[1])
    finder = PathFinder(build.graph)
    ours = seconds(lambda: finder.find(users, assets, top=10), runs=3, warm=1) / len(users) * 1e3
    name = f"ten best paths of a pair, of {len(users):,}"
    few = list(zip(users.tolist(), assets.tolist(), strict=True))
    figures = [Measured(name, ours, "ms", "networkx all_simple_paths", _networkx(build.graph, few[:3]))]
    if find_spec("igraph") is not None:
        figures.append(Measured(name, ours, "ms", "igraph get_all_simple_paths", _igraph(build.graph, few[:30])))
    return figures


def _networkx(graph: KnowledgeGraph, pairs: list[tuple[int, int]]) -> float:
    """ms per pair."""
    at = np.flatnonzero(graph.current)
    plain: nx.Graph[int] = nx.Graph()
    plain.add_edges_from(zip(graph.edges.head[at].tolist(), graph.edges.tail[at].tolist(), strict=True))
    return seconds(lambda: [list(nx.all_simple_paths(plain, u, a, HOPS)) for u, a in pairs], 1, 0) / len(pairs) * 1e3


def _igraph(graph: KnowledgeGraph, pairs: list[tuple[int, int]]) -> float:
    """ms per pair."""
    library: Any = import_module("igraph")  # of the extra `bench`
    at = np.flatnonzero(graph.current)
    ends = np.stack([graph.edges.head[at], graph.edges.tail[at]], axis=1)
    plain = library.Graph(n=len(graph), edges=ends.tolist()).simplify()
    search = partial(plain.get_all_simple_paths, maxlen=HOPS)
    return seconds(lambda: [search(u, to=a) for u, a in pairs], 1, 1) / len(pairs) * 1e3


def explanations(build: Build) -> list[Measured]:
    """Whole explanations with reasons in one language: on one core against their accounts, and on all cores."""
    users, assets = _listed(build, 4000)
    pairs = list(zip(users.tolist(), assets.tolist(), strict=True))
    explainer = Explainer(build.graph, build.build_hash)
    scorer = build.scorer

    def explain(part: list[tuple[Position, Position]]) -> None:
        for user, asset in part:
            explainer.explain(scorer.account(user, asset), 1, (DEFAULT,))

    whole = seconds(partial(explain, pairs), runs=3, warm=1)
    alone = seconds(lambda: [scorer.account(u, a) for u, a in pairs], runs=3)
    figures = [Measured("one explanation", whole / len(pairs) * 1e3, "ms", "its account", alone / len(pairs) * 1e3)]
    cores = os.cpu_count() or 1
    if CAN_FORK:
        parts = [pairs[len(pairs) * i // cores : len(pairs) * (i + 1) // cores] for i in range(cores)]
        together = len(pairs) / seconds(lambda: list(answers(explain, parts, cores)), runs=3)
        figures.append(Measured(f"explanations, {cores} processes", together, "/s", "one process", len(pairs) / whole))
    return figures


def everyone(build: Build) -> list[Measured]:
    """`explain --all`: every investor's ten best assets into one Parquet file, on all cores."""
    scorer = build.scorer
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "explanations.parquet"
        took = seconds(lambda: explain_all(scorer, out, Progress(None)), runs=1, warm=0)
        size = out.stat().st_size / 1e6
    return [Measured(f"explain --all, {len(build.graph.users):,} investors ({size:,.0f} MB)", took, "s")]


def faithfulness(build: Build) -> list[Measured]:
    """What deleting the evidence that explanations name does to the score, against chance and published explainers."""
    found = evaluate_explanations(build.scorer, ExplanationSample(investors=50, checked=50, counterfactuals=30))
    figures = [
        Measured(metric, found.value(OURS, metric), "", RANDOM, found.value(RANDOM, metric))
        for metric in ("deletion area", "insertion area", "drop of 1", "drop of 3", "sufficiency of 3")
    ]
    for metric in ("top 1 beats random", "share of the score on paths", "validity of paths", "sentences that are true"):
        figures.append(Measured(metric, found.value(OURS, metric), ""))
    metric = "drop of 1 (edges of the graph attention)"
    attention = [(name, found.value(name, metric)) for name in (RANDOM, GRADIENT, GNN_EXPLAINER)]
    return figures + [
        Measured("drop of 1 edge, attention", found.value(OURS, metric), "", *other) for other in attention
    ]


def scale(_build: Build) -> list[Measured]:
    """Time per pair as the graph grows at equal degree, against the smallest; and the index's memory."""
    out = []
    reference = 0.0
    for n_users, n_assets, n_positions in SCALES:
        graph = crowd(n_users, n_assets, n_positions)
        rng = np.random.default_rng(1)
        users, assets = (Rows(rng.choice(rows, PAIRS)) for rows in (graph.users, graph.assets))
        finder = PathFinder(graph)
        per_pair = seconds(partial(finder.find, users, assets, 10), runs=3, warm=1) / PAIRS * 1e3
        reference = reference or per_pair
        name = f"pair among {n_positions:,} positions ({peak_memory_mb() / 1e3:.1f} GB at most)"
        out.append(Measured(name, per_pair, "ms", f"among {SCALES[0][2]:,}", reference))
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
    for kind in labels:
        tails = start[kind] + rng.integers(0, counts[kind], n_assets)
        parts.append((attribute_relation(kind), stock + np.arange(n_assets), tails))
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
    n = len(head)
    day = np.full(len(head), to_days(_DAY) - 30, np.int32)
    text = np.full(n, "", dtype=object)
    nothing = np.full(n, np.nan)
    return Edges(relation, head, tail, nothing, nothing, nothing, text, text, day, day)


def _listed(build: Build, most: int) -> tuple[Positions, Positions]:
    """Investors who hold something, and the assets on their lists."""
    scorer = build.scorer
    rng = np.random.default_rng(0)
    active = np.flatnonzero(np.diff(scorer.interactions.ever.indptr) > 0)
    users = Positions(rng.choice(active, min(most // 10, len(active)), replace=False))
    lists = [(chunk, best) for chunk, best, _ in rank_assets(scorer, users, 10, None, include_held=False)]
    first = np.concatenate([np.repeat(chunk, best.shape[1]) for chunk, best in lists])
    second = np.concatenate([best.ravel() for _, best in lists])
    keep = second >= 0
    return Positions(first[keep]), Positions(second[keep])
