"""Write labelled vectors in the formats that other tools read, each with a manifest beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from embeddings.vectors import EntityVectors
from kg.schema import NODE_KINDS

Writer = Callable[[EntityVectors, Path], list[Path]]


def export_vectors(vectors: EntityVectors, form: str, out: Path, about: Mapping[str, Any]) -> list[Path]:
    """Write `vectors` to `out` and `about` with their own manifest to `out`.json; returns the files.

    Args:
        form: one of `FORMATS`.
        about: what the manifest says besides how the vectors were learned (build hash, data set, licence note).
    """
    files = FORMATS[form](vectors, out)
    manifest = {"format": form, "entities": len(vectors), "metric": "cosine", **about, **vectors.manifest.to_json()}
    beside = out.with_name(out.name + ".json")
    beside.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*files, beside]


def _parquet(vectors: EntityVectors, out: Path) -> list[Path]:
    """Columns kind, id, name, vector."""
    pq.write_table(vectors.to_arrow(), out, compression="zstd")
    return [out]


def _npz(vectors: EntityVectors, out: Path) -> list[Path]:
    """Arrays kind, id, name (text) and vectors (n, d) float32; loads without pickle."""
    texts = {name: getattr(vectors, name).astype(str) for name in ("id", "name")}
    with out.open("wb") as file:
        np.savez_compressed(file, kind=_kinds(vectors).astype(str), vectors=vectors.vectors, **texts)
    return [out]


def _word2vec(vectors: EntityVectors, out: Path) -> list[Path]:
    """Text as word2vec writes it: a line with n and d, then Kind:id and the numbers; spaces in ids become _."""
    with out.open("w", encoding="utf-8") as file:
        file.write(f"{len(vectors)} {vectors.manifest.dimension}\n")
        for kind, key, row in zip(_kinds(vectors), vectors.id, vectors.vectors, strict=True):
            word = "_".join(f"{kind}:{key}".split())
            file.write(f"{word} {' '.join(map(repr, row.tolist()))}\n")
    return [out]


def _tsv(vectors: EntityVectors, out: Path) -> list[Path]:
    """The pair that TensorBoard's projector loads: vectors in `out`, id, name and type in metadata.tsv beside it."""
    metadata = out.with_name("metadata.tsv")
    with out.open("w", encoding="utf-8") as file:
        file.writelines("\t".join(map(repr, row)) + "\n" for row in vectors.vectors.tolist())
    with metadata.open("w", encoding="utf-8") as file:
        file.write("id\tname\ttype\n")
        for kind, key, name in zip(_kinds(vectors), vectors.id, vectors.name, strict=True):
            file.write("\t".join(" ".join(str(text).split()) for text in (key, name, kind)) + "\n")
    return [out, metadata]


def _kinds(vectors: EntityVectors) -> np.ndarray:
    return np.array([NODE_KINDS[code].value for code in vectors.kind], dtype=object)


FORMATS: Final[Mapping[str, Writer]] = MappingProxyType(
    {"parquet": _parquet, "npz": _npz, "word2vec": _word2vec, "tsv": _tsv}
)
"""Format name to what writes it."""
