"""The data set as tables: Parquet, and the triples in tab-separated text that PyKEEN reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pathfolio.embeddings.dataset.content import Dataset, ids_of
from pathfolio.embeddings.dataset.split import Part
from pathfolio.embeddings.export import word_of
from pathfolio.kg.graph import NO_DAY, Days, IntArray
from pathfolio.kg.schema import RELATION_CODE, RELATION_KINDS, UNDATED, Relation
from pathfolio.kg.store.lifetimes import STILL_CURRENT

NODES_FILE: Final = "nodes.parquet"
_UNKNOWN: Final = np.datetime64(UNDATED, "D").astype(int)

Columns = dict[str, pa.Array]


def write_nodes(data: Dataset, folder: Path) -> None:
    """nodes.parquet: kind, number (among its kind, as in all other files), id, names, identifiers, days and fold."""
    rows = data.nodes
    nodes = data.graph.nodes
    texts = ("name_local", "ticker", "isin", "currency")
    columns = {
        **_node(data, rows),
        **{name: pa.array([text or None for text in getattr(nodes, name)[rows]], pa.string()) for name in texts},
        "listed": _days(nodes.listed[rows], NO_DAY),
        "known_at": _days(nodes.known_at[rows], _UNKNOWN),
        "fold": pa.array(data.fold[rows]),
    }
    _write(folder / NODES_FILE, columns)


def write_parquet(data: Dataset, folder: Path) -> None:
    """edges.parquet, figures.parquet, features.parquet and classes.parquet, with names.

    edges has every dated version of every relation, its part and from and until which day it was the current one;
    figures likewise, with value and unit; features has those known at the end of training, a column each; classes what
    assets can be told apart by, with fold.
    """
    _write(folder / "edges.parquet", _edges(data, data.relations))
    figures = np.flatnonzero(data.graph.edges.relation == RELATION_CODE[Relation.HAS_FACT])
    if len(figures):
        _write(folder / "figures.parquet", _figures(data, figures))
        _write(folder / "features.parquet", _features(data))
    _write(folder / "classes.parquet", _classes(data))


def write_pykeen(data: Dataset, folder: Path) -> None:
    """train.tsv, valid.tsv and test.tsv: head, relation, tail, without a header; entities.tsv and relations.tsv.

    An entity is written Kind:id, as in exported embeddings; entities.tsv has its kind, id and name. What is to be
    predicted of entities that nothing is known of in training stands in unseen.tsv, with its part.
    """
    edges = data.graph.edges
    kinds, ids, names = ids_of(data.graph, np.arange(len(data.graph)))
    words = [word_of(kind, node_id) for kind, node_id in zip(kinds, ids, strict=True)]
    trained = np.zeros(len(data.graph), bool)
    learned = data.new(Part.TRAIN)
    trained[edges.head[learned]] = trained[edges.tail[learned]] = True
    unseen: list[str] = []
    for part in Part:
        at = data.new(part)
        is_seen = trained[edges.head[at]] & trained[edges.tail[at]]
        (folder / f"{part.value}.tsv").write_text("".join(_triples(data, at[is_seen], words)), encoding="utf-8")
        unseen += [f"{part.value}\t{line}" for line in _triples(data, at[~is_seen], words)]
    (folder / "unseen.tsv").write_text("".join(unseen), encoding="utf-8")
    lines = ["entity\tkind\tid\tname\n"]
    for row in np.flatnonzero(trained).tolist():
        lines.append(
            "\t".join(" ".join(text.split()) for text in (words[row], kinds[row], ids[row], names[row])) + "\n"
        )
    (folder / "entities.tsv").write_text("".join(lines), encoding="utf-8")


def _triples(data: Dataset, at: IntArray, words: list[str]) -> list[str]:
    edges = data.graph.edges
    ends = zip(edges.head[at].tolist(), edges.relation[at].tolist(), edges.tail[at].tolist(), strict=True)
    return [f"{words[head]}\t{RELATION_KINDS[relation].value}\t{words[tail]}\n" for head, relation, tail in ends]


def _node(data: Dataset, rows: IntArray, prefix: str = "") -> Columns:
    kinds, ids, names = ids_of(data.graph, rows)
    return {
        f"{prefix}kind": pa.array(kinds, pa.string()).dictionary_encode(),
        f"{prefix}number": pa.array(data.place[rows]),
        f"{prefix}id": pa.array(ids, pa.string()),
        f"{prefix}name": pa.array(names, pa.string()),
    }


def _edges(data: Dataset, at: IntArray) -> Columns:
    edges = data.graph.edges
    parts = pa.array([part.value for part in Part])
    relations = [RELATION_KINDS[code].value for code in edges.relation[at]]
    return {
        "relation": pa.array(relations, pa.string()).dictionary_encode(),
        **_node(data, edges.head[at].astype(np.int64), "head_"),
        **_node(data, edges.tail[at].astype(np.int64), "tail_"),
        "weight": pa.array(edges.weight[at], from_pandas=True),
        **_version(data, at),
        "part": pa.DictionaryArray.from_arrays(pa.array(data.part[at]), parts),
    }


def _figures(data: Dataset, at: IntArray) -> Columns:
    edges = data.graph.edges
    metric = data.graph.nodes.id[edges.tail[at]]
    return {
        **_node(data, edges.head[at].astype(np.int64)),
        "metric": pa.array(metric, pa.string()).dictionary_encode(),
        **_version(data, at),
    }


def _version(data: Dataset, at: IntArray) -> Columns:
    """What each version says, who said so, and when."""
    edges = data.graph.edges
    return {
        "value": pa.array(edges.value[at], from_pandas=True),
        "amount": pa.array(edges.amount[at], from_pandas=True),
        "qualifier": pa.array([text or None for text in edges.qualifier[at]], pa.string()).dictionary_encode(),
        "source": pa.array(edges.source[at], pa.string()).dictionary_encode(),
        "as_of": _days(edges.as_of[at], _UNKNOWN),
        "known_at": _days(edges.known_at[at], _UNKNOWN),
        "current_from": _days(data.start[at], _UNKNOWN),
        "current_until": _days(data.until[at], STILL_CURRENT),
    }


def _features(data: Dataset) -> Columns:
    figures = data.figures(data.days[Part.TRAIN])
    columns = zip(figures.metrics, figures.values.T, strict=True)
    return _node(data, figures.rows) | {f"x_{name}": pa.array(column, from_pandas=True) for name, column in columns}


def _classes(data: Dataset) -> Columns:
    found = data.classes()
    rows = np.concatenate([np.zeros(0, np.int64), *(each.rows for each in found)])
    names = [each.names[number] for each in found for number in each.number.tolist()]
    relations = [each.relation.value for each in found for _ in each.rows]
    return {
        **_node(data, rows),
        "relation": pa.array(relations, pa.string()).dictionary_encode(),
        "class": pa.array(names, pa.string()),
        "class_number": pa.array(np.concatenate([np.zeros(0, np.int64), *(each.number for each in found)])),
        "fold": pa.array(data.fold[rows]),
    }


def _days(days: Days | npt.NDArray[np.int32], none: int) -> pa.Array:
    """Dates; null for what stands for no day."""
    return pa.array(days.astype("datetime64[D]"), pa.date32(), mask=days == none)


def _write(path: Path, columns: Columns) -> None:
    pq.write_table(pa.table(columns), path, compression="zstd")
