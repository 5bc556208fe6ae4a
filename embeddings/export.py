"""Write labelled vectors in the formats that other tools read, with manifest, card and relations beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import numpy as np
import pyarrow.parquet as pq

from pathfolio.embeddings.card import card
from pathfolio.embeddings.scoring import FORMULAS
from pathfolio.embeddings.vectors import EntityVectors, RelationVectors
from pathfolio.kg.errors import UsageError
from pathfolio.kg.outfile import check_out
from pathfolio.kg.schema import NODE_KINDS

Writer = Callable[[EntityVectors, Path], list[Path]]

_LICENCES: Final = MappingProxyType({"FAR-Trans": "CC BY 4.0 (FAR-Trans, doi 10.5525/gla.researchdata.1658)"})

METRIC: Final = "cosine"
"""By which neighbours of one kind are near; an investor and an asset go together by the scoring function instead. Every
format holds the vectors as they were learned, not scaled."""


def export_vectors(vectors: EntityVectors, form: str, out: Path, about: Mapping[str, object]) -> list[Path]:
    """Write `vectors` to `out`, their relations to `out`.relations.tsv, a card to `out`.md, and the manifest, which is
    `about` with their own, to `out`.json.

    Args:
        form: one of `FORMATS`.
        about: what the manifest says besides how the vectors were learned (build hash, data set, licence note).

    Returns:
        The files that were written, the vectors first and the manifest last.

    Raises:
        UsageError: there is no such format, or no folder to write to.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}: choose {', '.join(FORMATS)}")
    check_out(out)
    files = FORMATS[form](vectors, out)
    if vectors.relations.names:
        files.append(_relations(vectors.relations, _beside(out, "relations.tsv")))
    manifest = {
        "format": form,
        "entities": len(vectors),
        "metric": METRIC,
        "score": FORMULAS.get(vectors.manifest.model, ""),
        "relations": list(vectors.relations.names),
        **about,
        **vectors.manifest.to_json(),
    }
    texts = {
        _beside(out, "md"): card(vectors, out.name, form, about),
        _beside(out, "json"): json.dumps(manifest, indent=2, ensure_ascii=False) + "\n",
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    for path in (*files, *texts):
        path.chmod(0o600)
    return [*files, *texts]


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(f"{out.name}.{ending}")


def _relations(relations: RelationVectors, path: Path) -> Path:
    """A line per relation: its name and its numbers."""
    rows = zip(relations.names, relations.vectors, strict=True)
    lines = ["\t".join([name, *row.astype(np.str_).tolist()]) + "\n" for name, row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path


def licence_of(name: str, *, is_sample: bool) -> str:
    """What a manifest says of the licence of the data that what it describes was made from.

    >>> licence_of("FAR-Trans", is_sample=False)
    'CC BY 4.0 (FAR-Trans, doi 10.5525/gla.researchdata.1658)'
    """
    if is_sample:
        return "generated data, free to use"
    return _LICENCES.get(name, f"that of the data set {name!r}, from which this was made")


def word_of(kind: str, node_id: str) -> str:
    """Kind:id as one word: white space, which separates words, and % stand as in a web address.

    >>> word_of("Industry", "Oil & Gas")
    'Industry:Oil%20&%20Gas'
    >>> word_of("Industry", "半導體業 100%")
    'Industry:半導體業%20100%25'
    """
    return re.sub(r"[\s%]", lambda found: quote(found[0]), f"{kind}:{node_id}")


def _parquet(vectors: EntityVectors, out: Path) -> list[Path]:
    """Columns kind, id, name, vector."""
    pq.write_table(vectors.to_arrow(), out, compression="zstd")
    return [out]


def _npz(vectors: EntityVectors, out: Path) -> list[Path]:
    """Arrays kind, id, name (text) and vectors (n, d) float32; loads without pickle."""
    texts = {name: getattr(vectors, name).astype(np.str_) for name in ("id", "name")}
    kinds = np.array(_kinds(vectors), dtype=np.str_)
    with out.open("wb") as file:
        np.savez_compressed(file, kind=kinds, vectors=vectors.vectors, **texts)
    return [out]


def _word2vec(vectors: EntityVectors, out: Path) -> list[Path]:
    """Text as word2vec writes it: a line with n and d, then a word and its numbers a line (see `word_of`).

    The format has no place for names: word, id, name and type stand in `out`.entities.tsv.
    """
    words = [word_of(kind, key) for kind, key in zip(_kinds(vectors), vectors.id, strict=True)]
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{len(vectors)} {vectors.manifest.dimension}\n")
        file.writelines(f"{word} {' '.join(row)}\n" for word, row in zip(words, _numbers(vectors), strict=True))
    entities = _beside(out, "entities.tsv")
    _write_labels(vectors, entities, {"word": words})
    return [out, entities]


def _tsv(vectors: EntityVectors, out: Path) -> list[Path]:
    """The pair that TensorBoard's projector loads: vectors in `out`, id, name and type in `out`.labels.tsv."""
    labels = _beside(out, "labels.tsv")
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(row) + "\n" for row in _numbers(vectors))
    _write_labels(vectors, labels, {})
    return [out, labels]


def _write_labels(vectors: EntityVectors, path: Path, more: Mapping[str, list[str]]) -> None:
    """A header and a line per entity; tabs and line ends in a name become spaces."""
    columns = {**more, "id": vectors.id, "name": vectors.name, "type": _kinds(vectors)}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(columns) + "\n")
        for row in zip(*columns.values(), strict=True):
            file.write("\t".join(" ".join(str(text).split()) for text in row) + "\n")


def _numbers(vectors: EntityVectors) -> Iterator[list[str]]:
    """Each vector's numbers as the shortest text that gives the same float32 again."""
    for row in vectors.vectors:
        yield row.astype(np.str_).tolist()


def _kinds(vectors: EntityVectors) -> list[str]:
    return [NODE_KINDS[code].value for code in vectors.kind]


FORMATS: Final[Mapping[str, Writer]] = MappingProxyType(
    {"parquet": _parquet, "npz": _npz, "word2vec": _word2vec, "tsv": _tsv}
)
"""Format name to what writes it."""
