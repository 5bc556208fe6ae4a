"""Write a data set into a folder of its own, with a manifest and a card that say what it is and how to load it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pathfolio.embeddings.dataset.card import CARD, card_of
from pathfolio.embeddings.dataset.content import Dataset
from pathfolio.embeddings.dataset.graphml import write_graphml
from pathfolio.embeddings.dataset.split import Part
from pathfolio.embeddings.dataset.tables import write_nodes, write_parquet, write_pykeen
from pathfolio.embeddings.dataset.turtle import write_turtle
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.seal import MANIFEST, sealed, versions_of, write_json
from pathfolio.kg.swap import replace_folder

FORMAT: Final = 1
"""Of the manifest."""

DatasetWriter = Callable[[Dataset, Path], None]


def _write_pyg(data: Dataset, folder: Path) -> None:
    from pathfolio.embeddings.dataset.tensors import write_pyg  # brings torch

    write_pyg(data, folder)


def _write_dgl(data: Dataset, folder: Path) -> None:
    from pathfolio.embeddings.dataset.tensors import write_dgl  # brings torch

    write_dgl(data, folder)


FORMATS: Final[Mapping[str, DatasetWriter]] = MappingProxyType(
    {
        "pyg": _write_pyg,
        "dgl": _write_dgl,
        "pykeen": write_pykeen,
        "parquet": write_parquet,
        "graphml": write_graphml,
        "rdf": write_turtle,
    }
)
"""Format name to what writes it; nodes.parquet stands beside each."""


@dataclass(frozen=True)
class DatasetSource:
    """Where a data set comes from, as its manifest says it.

    Attributes:
        name: of the market.
        graph_hash: of the snapshot.
        licence: of the source's data.
    """

    name: str
    graph_hash: str
    licence: str


def check_new_folder(out: Path) -> None:
    """Raise UsageError where something is at `out` already, or no folder is there to make it in."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out}: exists: name a folder that is not there yet with --out")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"{out.parent}: no such folder: make it, or write elsewhere with --out")


def export_dataset(data: Dataset, form: str, out: Path, source: DatasetSource) -> dict[str, Any]:
    """Write `data` into the folder `out`, its owner's alone; the same data and versions give the same bytes.

    Args:
        form: one of `FORMATS`.

    Returns:
        The manifest, as it stands in manifest.json.

    Raises:
        UsageError: there is no such format, or `out` is there already.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}: choose {', '.join(FORMATS)}")
    check_new_folder(out)
    about = _about(data, form, source)
    with replace_folder(out) as aside:
        write_nodes(data, aside)
        FORMATS[form](data, aside)
        (aside / CARD).write_text(card_of(about), encoding="utf-8")
        manifest = sealed(about, aside, "dataset_hash")
        write_json(aside / MANIFEST, manifest)
    return manifest


def _about(data: Dataset, form: str, source: DatasetSource) -> dict[str, Any]:
    return {
        "kind": "dataset",
        "format": FORMAT,
        "form": form,
        "name": source.name,
        "is_sample": data.graph.is_sample,
        "as_of": data.graph.as_of.isoformat(),
        "graph_hash": source.graph_hash,
        "licence": source.licence,
        "investors": "included" if data.investors else "left out",
        "train_until": data.cuts.train.isoformat(),
        "valid_until": data.cuts.valid.isoformat(),
        "relations": _counts(data),
        "nodes": {kind: count for kind, count in data.graph.counts()["nodes"].items() if kind != NodeKind.METRIC},
        "features": _scales(data),
        "label": None if data.label is None else data.label.relation.value,
        "classes": {each.relation.value: list(each.names) for each in data.classes()},
        "versions": versions_of("pathfolio", "numpy", "pyarrow"),
    }


def _counts(data: Dataset) -> dict[str, dict[str, int]]:
    """By part and by kind of relation, how many are to be learned from or predicted."""
    out: dict[str, dict[str, int]] = {}
    for part in Part:
        found = {"-".join(each.value for each in key): len(at) for key, at in data.by_kind(data.new(part))}
        out[part.value] = found
    return out


def _scales(data: Dataset) -> dict[str, list[float]]:
    """By metric the mean and the standard deviation with which tensors have it scaled."""
    figures = data.figures(data.days[Part.TRAIN])
    mean, spread = (each.tolist() for each in figures.scale())
    return {name: [mean[at], spread[at]] for at, name in enumerate(figures.metrics)}
