"""Codes of nodes: fixed vectors that say which node it is, and nothing else.

The codes of two different nodes are orthogonal, or nearly so, and a node that was not there when the network was
trained has one too. What two assets have in common by codes lies on closed walks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import KnowledgeGraph, Text
from pathfolio.kg.schema import ASSET_KINDS, ATTRIBUTE_RELATIONS, NODE_KINDS, PROFILE_KINDS, RELATIONS, NodeKind

WIDEST: Final = 64
"""Columns for the codes of one group of kinds, at most; larger groups have random codes, not unit vectors."""

_OF_INVESTORS: Final = {NodeKind.USER, *PROFILE_KINDS} - {RELATIONS[r].tails[0] for r in ATTRIBUTE_RELATIONS}
GROUPS: Final = (
    ASSET_KINDS,
    *((kind,) for kind in NODE_KINDS if kind not in _OF_INVESTORS and kind not in ASSET_KINDS),
)
"""Kinds whose codes share columns."""


def code_columns(kind: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """(columns,) int64: the group that each column is of, for the kinds (m,) of the learned nodes."""
    count = np.bincount(kind, minlength=len(NODE_KINDS))
    widths = [min(sum(int(count[NODE_KINDS.index(k)]) for k in group), WIDEST) for group in GROUPS]
    return np.repeat(np.arange(len(GROUPS)), widths)


def node_codes(graph: KnowledgeGraph, kind: npt.NDArray[np.int8], ids: Text) -> npt.NDArray[np.float32]:
    """(nodes, columns) float32: rows of length 1, or 0 for investors, profiles and kinds that training never saw.

    Args:
        kind, ids: (m,) the learned nodes, sorted by (kind, id).
    """
    group_of = code_columns(kind)
    codes = np.zeros((len(graph), len(group_of)), np.float32)
    for group, kinds in enumerate(GROUPS):
        columns = np.flatnonzero(group_of == group)
        if not len(columns):
            continue
        place = _places(kinds, kind, ids) if len(columns) < WIDEST else {}
        for node_kind in kinds:
            for row in graph.rows(node_kind):
                codes[row, columns] = _code(node_kind, str(graph.nodes.id[row]), len(columns), place)
    return codes


def _places(kinds: Sequence[NodeKind], kind: npt.NDArray[np.int8], ids: Text) -> dict[tuple[NodeKind, str], int]:
    """A column for each learned node of a small group."""
    rows = np.flatnonzero(np.isin(kind, [NODE_KINDS.index(k) for k in kinds]))
    return {(NODE_KINDS[kind[row]], str(ids[row])): place for place, row in enumerate(rows)}


def _code(kind: NodeKind, node_id: str, width: int, place: dict[tuple[NodeKind, str], int]) -> npt.NDArray[np.float32]:
    """A unit vector where the node has a column; else a direction drawn from its name, the same on every day."""
    out = np.zeros(width, np.float32)
    if (kind, node_id) in place:
        out[place[kind, node_id]] = 1.0
        return out
    seed = hashlib.sha256(f"{kind}\0{node_id}".encode()).digest()[:8]
    drawn = np.random.default_rng(int.from_bytes(seed, "little")).standard_normal(width)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)
