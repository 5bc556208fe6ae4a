"""Channels of a build's own: vectors that somebody brought, and ties of assets to nodes that code of theirs found.

Both are data once they are in a build, sealed with the rest: whoever has the build makes the same lists, and replays
those that were recorded, without any code of theirs. Their names begin with "own_".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import ASSET_KINDS, ATTRIBUTE_RELATIONS, NodeKind, Relation, attribute_relation
from pathfolio.kg.span import Position, Row, Rows
from pathfolio.recommender.account import ChannelAccount, Walk
from pathfolio.recommender.channels.base import Channel, Family
from pathfolio.recommender.channels.common_nodes import CommonNodes, Meeting
from pathfolio.recommender.channels.learned import LearnedCloseness
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.propagation import LinearPropagation, asset_edges, asset_walks
from pathfolio.recommender.score_inputs import ScoreInputs

PREFIX: Final = "own_"
OWN_VECTORS: Final = "own_vectors"
WEIGHT: Final = 0.1
"""Of own vectors, unless another is given: that of the KG embedding."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class OwnChannel(Protocol):
    """What to give for a channel of one's own: a name, a weight, and how strongly assets are tied to nodes.

    It scores score(u, a) = weight * pull(a) / sqrt(n_u) * sum over u's assets h and nodes v of z(h, v) z(a, v), as
    the shipped channel of shared attributes does.
    """

    @property
    def name(self) -> str:
        """Lower-case letters, digits and underscores; shown with `own_` before it."""
        ...

    @property
    def weight(self) -> float:
        """Of the channel; shared attributes have 0.15."""
        ...

    def fit(self, graph: KnowledgeGraph) -> sp.csr_array:
        """z, (assets, nodes): an asset's line (in the order of `graph.assets`) over the nodes of the snapshot.

        Where it is not 0, the graph must have a relation from the asset to the node, an attribute or what a fund
        invests in: reasons are told by the walk through it.

        Args:
            graph: the snapshot without the positions that tie too few investors together.
        """
        ...


@dataclass(frozen=True)
class OwnVectors:
    """Vectors that somebody brought for assets and what assets have; makes a channel of their closeness.

    Attributes:
        kind: (n,) the kind of each node, empty for an asset of whichever kind.
        id: (n,) its id.
        vectors: (n, d) float32, of any length but 0.
        weight: of the channel.
    """

    name: ClassVar[str] = OWN_VECTORS
    names: ClassVar[tuple[str, ...]] = (OWN_VECTORS,)
    family: ClassVar[Family] = Family.OWN

    kind: tuple[str, ...]
    id: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    weight: float = WEIGHT

    def rows(self, graph: KnowledgeGraph) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Rows of the snapshot's nodes that have a vector, and which vector it is."""
        of = {key: at for at, key in enumerate(zip(self.kind, self.id, strict=True))}
        found: list[tuple[int, int]] = []
        for row, key in enumerate(graph.nodes.id.tolist()):
            kind = graph.kind_of(Row(row))
            at = of.get((kind.value, key), of.get(("", key)) if kind in ASSET_KINDS else None)
            if at is not None and kind is not NodeKind.USER:
                found.append((row, at))
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return Rows(pairs[:, 0]), pairs[:, 1]

    def check(self, graph: KnowledgeGraph) -> tuple[str, ...]:
        """The ids of which the snapshot knows nothing; they stay, for a later day.

        Raises:
            DataError: it knows none, or one is a person's.
        """
        people = set(graph.user_ids.tolist()) - set(graph.asset_ids.tolist())
        person = next((key for kind, key in zip(self.kind, self.id, strict=True) if not kind and key in people), None)
        if person is not None:
            raise DataError(f"vectors: id {person!r} is an investor's, and theirs are never own: leave its row out")
        used = self.rows(graph)[1]
        if not len(used):
            raise DataError(f"vectors: no id is that of an asset or attribute of {graph.name}, as {self.id[0]!r}")
        return tuple(self.id[at] for at in np.setdiff1d(np.arange(len(self.id)), used).tolist())

    def fit(self, inputs: ScoreInputs) -> Channel:
        """Over a snapshot; nodes without a vector add nothing."""
        graph = inputs.graph
        rows, at = self.rows(graph)
        base = np.zeros((len(graph), self.vectors.shape[1]), np.float32)
        base[rows] = self.vectors[at] / np.linalg.norm(self.vectors[at], axis=1, keepdims=True)
        return OwnCloseness(graph, LinearPropagation(asset_walks(graph), base), self.weight * inputs.pull)

    def to_arrow(self) -> pa.Table:
        """Columns kind, id and vector."""
        flat = pa.array(np.ascontiguousarray(self.vectors).ravel())
        vector = pa.FixedSizeListArray.from_arrays(flat, self.vectors.shape[1])
        kind, key = (pa.array(of, pa.string()) for of in (self.kind, self.id))
        return pa.table({"kind": kind, "id": key, "vector": vector})

    @staticmethod
    def of_arrow(table: pa.Table, weight: float) -> OwnVectors:
        """What `to_arrow` gave."""
        vectors = np.array(table["vector"].to_pylist(), np.float32)
        return OwnVectors(tuple(table["kind"].to_pylist()), tuple(table["id"].to_pylist()), vectors, weight)


@dataclass(frozen=True)
class OwnCloseness(LearnedCloseness):
    """Closeness of own vectors: what assets have in common lies on walks, the rest is remainder."""

    name: ClassVar[str] = OWN_VECTORS
    names: ClassVar[tuple[str, ...]] = (OWN_VECTORS,)
    family: ClassVar[Family] = Family.OWN


class _Titled:
    """A channel that its maker gave a title."""

    family: ClassVar[Family] = Family.OWN
    title: str

    @property
    def name(self) -> str:
        """With "own_" before it."""
        return PREFIX + self.title

    @property
    def names(self) -> tuple[str, ...]:
        """Its name alone."""
        return (self.name,)


@dataclass(frozen=True)
class OwnTies(_Titled):
    """How strongly assets are tied to nodes, by ids: what an `OwnChannel` found, once and for all later days.

    Attributes:
        title: the channel's name as it was given.
        asset: (n,) ids.
        kind, node: (n,) kind and id of the nodes.
        strength: (n,) float64.
        weight: of the channel.
    """

    title: str
    asset: tuple[str, ...]
    kind: tuple[str, ...]
    node: tuple[str, ...]
    strength: FloatArray
    weight: float

    @staticmethod
    def found(channel: OwnChannel, graph: KnowledgeGraph) -> OwnTies:
        """Ask `channel` for its ties in a snapshot.

        Raises:
            UsageError: its name cannot be one, or what it gives is no such matrix.
        """
        z = _checked(channel, graph)
        asset = z.coords[0]
        node = Rows(z.coords[1].astype(np.int64))
        kinds = tuple(graph.kind_of(row).value for row in node.tolist())
        return OwnTies(
            channel.name,
            tuple(graph.asset_ids[asset].tolist()),
            kinds,
            tuple(graph.nodes.id[node].tolist()),
            z.data,
            float(channel.weight),
        )

    def fit(self, inputs: ScoreInputs) -> Channel:
        """Over a snapshot, a later one too: ties that its graph does not have any more are left out."""
        graph = inputs.graph
        asset_of = {key: at for at, key in enumerate(graph.asset_ids.tolist())}
        found: list[tuple[int, int, float]] = []
        for asset, kind, node, part in zip(self.asset, self.kind, self.node, self.strength.tolist(), strict=True):
            row = graph.find(NodeKind(kind), node)
            at = asset_of.get(asset)
            if row is not None and at is not None:
                found.append((at, row, part))
        ties = np.array(found, np.float64).reshape(-1, 3)
        ends = ties[:, :2].astype(np.int64)
        z = sp.csr_array((ties[:, 2], (ends[:, 0], ends[:, 1])), (len(graph.assets), len(graph)))
        z = sp.csr_array(z.multiply(_related(graph)))
        z.sort_indices()
        return OwnShared(graph, z, self.weight * inputs.pull, self.title)

    def to_arrow(self) -> pa.Table:
        """Columns asset, kind, node and strength."""
        texts = {"asset": self.asset, "kind": self.kind, "node": self.node}
        return pa.table({**{name: pa.array(of, pa.string()) for name, of in texts.items()}, "strength": self.strength})

    @staticmethod
    def of_arrow(table: pa.Table, name: str, weight: float) -> OwnTies:
        """What `to_arrow` gave."""
        asset, kind, node = (tuple(table[column].to_pylist()) for column in ("asset", "kind", "node"))
        return OwnTies(name.removeprefix(PREFIX), asset, kind, node, table["strength"].to_numpy(), weight)


@dataclass(frozen=True)
class OwnShared(_Titled, CommonNodes):
    """Common nodes by own ties; every part lies on a walk."""

    title: str

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """One walk per holding and node that both are tied to."""
        user = investor.first_row
        target = self.graph.asset_span.row(asset)
        walks = [self._walk(user, met, target) for met in self.meetings(investor, asset) if met.held != target]
        value = sum(walk.contribution for walk in walks)
        return (ChannelAccount(self.name, value, tuple(walks), 0.0),) if walks else ()

    def _walk(self, user: Row, met: Meeting, target: Row) -> Walk:
        kind = self.graph.kind_of(met.column)
        step = Relation.INVESTS_IN if kind in ASSET_KINDS else attribute_relation(kind)
        between = () if met.column in (met.held, target) else (met.column,)
        return Walk((user, met.held, *between, target), (met.position, *(step,) * (1 + len(between))), met.part)


OwnData = OwnVectors | OwnTies


def own_channels(
    graph: KnowledgeGraph, vectors: OwnVectors | None, channels: Sequence[OwnChannel]
) -> tuple[OwnData, ...]:
    """What a build's own channels are made of.

    Raises:
        DataError: no vector is of a node of the snapshot, or one is a person's.
        UsageError: two channels have one name, or one gives no ties.
    """
    given: tuple[OwnData, ...] = ()
    if vectors is not None:
        vectors.check(graph)
        given = (vectors,)
    if channels:
        seen = disclosed(graph)
        given = (*given, *(OwnTies.found(channel, seen) for channel in channels))
    names = [own.name for own in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two channels are called {twice!r}: give each a name of its own")
    return given


def save_own(own: Sequence[OwnData], folder: Path) -> None:
    """A Parquet file per channel."""
    for each in own:
        folder.mkdir(exist_ok=True)
        pq.write_table(each.to_arrow(), folder / f"{each.name}.parquet", compression="zstd")


def load_own(weights: Mapping[str, float], folder: Path) -> tuple[OwnData, ...]:
    """What `save_own` wrote, of channels with these weights."""
    return tuple(_load(folder / f"{name}.parquet", name, weight) for name, weight in weights.items())


def _load(file: Path, name: str, weight: float) -> OwnData:
    table = pq.read_table(file)
    return OwnVectors.of_arrow(table, weight) if name == OWN_VECTORS else OwnTies.of_arrow(table, name, weight)


def _checked(channel: OwnChannel, graph: KnowledgeGraph) -> sp.coo_array:
    """What the channel gives, if it is what `OwnChannel.fit` asks for."""
    name = channel.name
    shape = (len(graph.assets), len(graph))
    if not _NAME.fullmatch(name):
        raise UsageError(f"a channel called {name!r}: use lower-case letters, digits and underscores, a letter first")
    given = channel.fit(graph)
    if getattr(given, "shape", None) != shape:
        raise UsageError(f"channel {name}: fit gives {getattr(given, 'shape', given)!r}: give a csr_array of {shape}")
    z = sp.csr_array(given).astype(np.float64)
    z.sum_duplicates()
    z.eliminate_zeros()
    if not np.isfinite(z.data).all():
        raise UsageError(f"channel {name}: a strength is not a number: leave out what is not known")
    untied = sp.coo_array(z - z.multiply(_related(graph)))
    untied.eliminate_zeros()
    if untied.nnz:
        asset = int(untied.coords[0][0])
        node = Row(int(untied.coords[1][0]))
        what = f"{graph.kind_of(node)} {graph.nodes.id[node]!r}"
        raise UsageError(
            f"channel {name}: {graph.asset_ids[asset]!r} has no relation to {what} "
            "that a reason could tell: tie assets to their attributes, their holdings or themselves"
        )
    return sp.coo_array(z)


def _related(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, nodes) 1 where an asset has the attribute, invests in the asset, or is it."""
    n = len(graph.assets)
    ends = [asset_edges(graph, relation) for relation in (*ATTRIBUTE_RELATIONS, Relation.INVESTS_IN)]
    asset = np.concatenate([graph.asset_span.positions, *(pair[0] for pair in ends)])
    node = np.concatenate([graph.assets, *(pair[1] for pair in ends)])
    related = sp.csr_array((np.ones(len(asset)), (asset, node)), (n, len(graph)))
    related.sum_duplicates()
    related.data[:] = 1.0
    return related
