"""`EntityVectors`: one labelled vector per entity of a snapshot, with the record of how they were learned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph, Mask, Text
from pathfolio.kg.schema import KIND_CODE, NODE_KINDS, NodeKind

VectorArray = npt.NDArray[np.float32]

VECTORS_FILE: Final = "vectors.parquet"
RELATIONS_FILE: Final = "relations.parquet"
MANIFEST_FILE: Final = "vectors.json"


@dataclass(frozen=True)
class Candidate:
    """One model that was tried on the inner split, and what it reached there.

    `mrr` is the filtered mean reciprocal rank over the split's validation triples, both sides: among all entities where
    models were compared, among those of the right kind where one was asked for.
    """

    model: str
    mrr: float
    epochs: int


@dataclass(frozen=True)
class VectorManifest:
    """How a set of vectors came to be.

    Attributes:
        model: the knowledge graph embedding's name, as in the literature.
        dimension: columns of the vectors; complex embeddings stand as real parts followed by imaginary parts.
        metrics: filtered link-prediction metrics on held-out triples of the inner split, by name.
        candidates: the models that were compared, best first; one entry where the model was given.
        graph_hash, as_of: the snapshot that they were learned from.
        triples: how many triples were learned from.
        versions: of the libraries that the numbers depend on.
        drawn_from: how many triples these were drawn from, those of some investors; 0 where all were learned from.
    """

    model: str
    dimension: int
    seed: int
    epochs: int
    metrics: Mapping[str, float]
    candidates: tuple[Candidate, ...]
    graph_hash: str
    as_of: date
    triples: int
    versions: Mapping[str, str]
    drawn_from: int = 0

    def to_json(self) -> dict[str, Any]:
        """The manifest in JSON's types; that nothing was drawn goes without saying, as it did before it could be."""
        values = asdict(self) | {"as_of": self.as_of.isoformat(), "candidates": [asdict(c) for c in self.candidates]}
        return values if self.drawn_from else {name: value for name, value in values.items() if name != "drawn_from"}

    @staticmethod
    def from_json(about: Mapping[str, Any]) -> VectorManifest:
        """The manifest that `to_json` wrote."""
        candidates = tuple(Candidate(**c) for c in about["candidates"])
        return VectorManifest(**{**about, "candidates": candidates, "as_of": date.fromisoformat(about["as_of"])})


@dataclass(frozen=True)
class RelationVectors:
    """The vectors of r kinds of relation, which the model's scoring function needs (`pathfolio.embeddings.scoring`).

    Attributes:
        names: as in `pathfolio.kg.schema.Relation`; an investor who HELD an asset counts as one who HOLDS it.
        vectors: (r, d) float32; complex ones as real parts followed by imaginary parts.
    """

    names: tuple[str, ...] = ()
    vectors: VectorArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def to_arrow(self) -> pa.Table:
        """Columns relation and vector (a list of float32 of one length)."""
        flat = pa.array(np.ascontiguousarray(self.vectors).ravel())
        vector = pa.FixedSizeListArray.from_arrays(flat, self.vectors.shape[1])
        return pa.table({"relation": pa.array(self.names, pa.string()), "vector": vector})

    @staticmethod
    def load(path: Path) -> RelationVectors:
        """Read relations.parquet; none where there is no such file: builds of before have none."""
        if not path.exists():
            return RelationVectors()
        table = pq.read_table(path)
        return RelationVectors(tuple(table.column("relation").to_pylist()), _stacked(table.column("vector")))


def _stacked(column: pa.ChunkedArray) -> VectorArray:
    """(n, d) float32 of a column of lists."""
    flat = column.combine_chunks().flatten().to_numpy()
    vectors: VectorArray = flat.reshape(len(column), -1).astype(np.float32)
    return vectors


@dataclass(frozen=True)
class EntityVectors:
    """n entities, sorted by (kind, id), and their vectors.

    Attributes:
        kind: (n,) int8, codes of `pathfolio.kg.schema.NODE_KINDS`.
        id, name: (n,) str.
        vectors: (n, d) float32.
        manifest: how they were learned.
        relations: those of the relations, learned with them; none in builds of before.
    """

    kind: npt.NDArray[np.int8]
    id: Text
    name: Text
    vectors: VectorArray
    manifest: VectorManifest
    relations: RelationVectors = field(default_factory=RelationVectors)

    def __post_init__(self) -> None:
        rows = {len(self.kind), len(self.id), len(self.name), len(self.vectors)}
        if len(rows) != 1 or self.vectors.shape[1:] != (self.manifest.dimension,):
            raise ValueError(f"{self.vectors.shape} vectors for {len(self.id)} ids, {self.manifest.dimension} columns")

    def __len__(self) -> int:
        return len(self.id)

    def of_kind(self, kind: NodeKind) -> VectorArray:
        """(entities of this kind, d) float32: their vectors, in order of their ids."""
        rows: VectorArray = self.vectors[self.kind == KIND_CODE[kind]]
        return rows

    def without_investors(self) -> EntityVectors:
        """The vectors of all that is no person: those of investors tell what they hold."""
        kept = self.kind != KIND_CODE[NodeKind.USER]
        return self.take(kept)

    def take(self, rows: Mask) -> EntityVectors:
        """Those of some entities."""
        return replace(self, kind=self.kind[rows], id=self.id[rows], name=self.name[rows], vectors=self.vectors[rows])

    @cached_property
    def _row_of(self) -> dict[tuple[int, str], int]:
        return {key: row for row, key in enumerate(zip(self.kind.tolist(), self.id.tolist(), strict=True))}

    def align(self, graph: KnowledgeGraph) -> tuple[VectorArray, Mask]:
        """The vectors in the rows of another day's snapshot.

        Returns:
            (len(graph), d) float32, zeros where a node has no vector, and (len(graph),) bool, True where it has one.
        """
        keys = zip(graph.nodes.kind.tolist(), graph.nodes.id.tolist(), strict=True)
        row = np.array([self._row_of.get(key, -1) for key in keys], dtype=np.int64)
        known = row >= 0
        out = np.zeros((len(graph), self.manifest.dimension), np.float32)
        out[known] = self.vectors[row[known]]
        return out, known

    def save(self, folder: Path) -> None:
        """Write vectors.parquet, relations.parquet and vectors.json into `folder`; equal vectors give equal bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(self.to_arrow(), folder / VECTORS_FILE, compression="zstd")
        if self.relations.names:
            pq.write_table(self.relations.to_arrow(), folder / RELATIONS_FILE, compression="zstd")
        about = json.dumps(self.manifest.to_json(), indent=2, ensure_ascii=False, sort_keys=True)
        (folder / MANIFEST_FILE).write_text(about + "\n", encoding="utf-8")

    def to_arrow(self) -> pa.Table:
        """Columns kind, id, name and vector (a list of float32 of one length)."""
        flat = pa.array(np.ascontiguousarray(self.vectors).ravel())
        columns = {
            "kind": pa.array([NODE_KINDS[code].value for code in self.kind], pa.string()),
            "id": pa.array(self.id, pa.string()),
            "name": pa.array(self.name, pa.string()),
            "vector": pa.FixedSizeListArray.from_arrays(flat, self.manifest.dimension),
        }
        return pa.table(columns)

    @staticmethod
    def load(folder: Path) -> EntityVectors:
        """Read vectors that `save` wrote.

        Raises:
            DataError: `folder` holds none.
        """
        try:
            about = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
            table = pq.read_table(folder / VECTORS_FILE)
        except FileNotFoundError as error:
            raise DataError(f"{error.filename}: no vectors here: build again") from None
        manifest = VectorManifest.from_json(about)
        code_of = {kind.value: code for kind, code in KIND_CODE.items()}
        kind = np.array([code_of[name] for name in table.column("kind").to_pylist()], np.int8)
        vectors = _stacked(table.column("vector")) if len(kind) else np.zeros((0, manifest.dimension), np.float32)
        texts = [table.column(name).to_numpy().astype(object) for name in ("id", "name")]
        relations = RelationVectors.load(folder / RELATIONS_FILE)
        return EntityVectors(kind, texts[0], texts[1], vectors, manifest, relations)
