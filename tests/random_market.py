"""Small random markets: every relation of the schema, names that are hard to tell apart, several dates."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from kg.compile import compile_graph
from kg.graph import KnowledgeGraph, to_days
from kg.schema import ASSET_KINDS, RELATIONS, NodeKind, Relation

DAY = date(2026, 6, 30)


def random_market(seed: int, *, users: int = 6, assets: int = 8, labels: int = 2, edges: int = 90) -> KnowledgeGraph:
    """A snapshot with about `edges` edges, drawn over all relations; deterministic for a seed."""
    rng = np.random.default_rng(seed)
    ids = {kind: [f"{kind.value}{i}" for i in range(labels)] for kind in NodeKind}
    ids[NodeKind.USER] = [f"u{i}" for i in range(users)]
    for number, kind in enumerate(ASSET_KINDS):
        ids[kind] = [f"a{i}" for i in range(assets) if i % len(ASSET_KINDS) == number]
    rows = []
    relations = [Relation.HOLDS, Relation.HELD, Relation.HAS_RISK, Relation.INVESTS_IN, *Relation]
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
