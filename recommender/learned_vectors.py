"""All that a build learned as vectors, for other tools: of the KG embedding, the attention network, the towers."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.embeddings.scoring import GAT, NEAR, TOWERS
from pathfolio.embeddings.spectral import near_vectors
from pathfolio.embeddings.triples import triples_of
from pathfolio.embeddings.vectors import EntityVectors, VectorManifest
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, NodeKind
from pathfolio.recommender.build import Build
from pathfolio.recommender.disclosed import disclosed


def of_embedding(build: Build) -> EntityVectors:
    """The KG embedding's: of every entity, and of relations."""
    return build.vectors


def of_neighbours(build: Build) -> EntityVectors:
    """The KG embedding's beside the eigenvectors of the same relations: what is near what (`near_vectors`)."""
    graph, learned = disclosed(build.graph), build.vectors
    triples = triples_of(graph)
    rows = triples.entities
    vectors = near_vectors(learned.align(graph)[0][rows], triples, learned.manifest.seed)
    manifest = _manifest(build, NEAR, vectors.shape[1], dict(learned.manifest.metrics))
    return EntityVectors(graph.nodes.kind[rows], graph.nodes.id[rows], graph.nodes.name[rows], vectors, manifest)


def of_attention(build: Build) -> EntityVectors:
    """The graph attention network's: what each asset is to the channel `gat`, whose closeness is the inner product."""
    graph, attention = build.graph, build.attention
    factors = attention.propagation(graph, build.scorer.groups.holders).factors().astype(np.float32)
    used = np.flatnonzero(np.abs(factors).sum(axis=0) > 0)
    rows = graph.assets
    manifest = _manifest(build, GAT, len(used), {"inner_ndcg@10": attention.ndcg})
    labels = (graph.nodes.kind[rows], graph.nodes.id[rows], graph.nodes.name[rows])
    return EntityVectors(*labels, np.ascontiguousarray(factors[:, used]), manifest)


def of_towers(build: Build) -> EntityVectors:
    """The two towers': of each asset, and for each kind of asset of each investor, whose id ends in /stock and so on.

    Raises:
        UsageError: the build has no towers.
    """
    towers = build.learned.towers
    if towers is None:
        raise UsageError(f"{build.folder}: no two towers here: make a build with `pathfolio build --towers`")
    served, nodes = towers.serve(build.graph), build.graph.nodes
    kinds = [kind.value.lower() for kind in ASSET_KINDS]
    users = [f"{user}/{kind}" for user in served.user_id for kind in kinds]
    names = np.repeat(nodes.name[build.graph.users], len(kinds))
    code = np.full(len(users), KIND_CODE[NodeKind.USER], nodes.kind.dtype)
    manifest = _manifest(build, TOWERS, served.assets.shape[1], {"inner_ndcg@10": towers.ndcg})
    return EntityVectors(
        np.concatenate([code, nodes.kind[build.graph.assets]]),
        np.concatenate([np.array(users, dtype=object), served.asset_id]),
        np.concatenate([names, nodes.name[build.graph.assets]]),
        np.concatenate([served.users.reshape(len(users), -1), served.assets]).astype(np.float32),
        manifest,
    )


def _manifest(build: Build, model: str, dimension: int, metrics: dict[str, float]) -> VectorManifest:
    about = build.vectors.manifest
    return VectorManifest(
        model=model,
        dimension=dimension,
        seed=int(build.manifest["seed"]),
        epochs=0,
        metrics={name: value for name, value in metrics.items() if np.isfinite(value)},
        candidates=(),
        graph_hash=about.graph_hash,
        as_of=about.as_of,
        triples=about.triples,
        versions=about.versions,
    )


SETS: Final = MappingProxyType[str, Callable[[Build], EntityVectors]](
    {"kg": of_embedding, "near": of_neighbours, "gat": of_attention, "towers": of_towers}
)
"""Name to what reads them."""
