"""The data set as tensors: what PyTorch Geometric's HeteroData and DGL's heterogeneous graphs are made from.

Neither library is needed to write them: a file of plain dictionaries and tensors is all that both of them take.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from pathfolio.embeddings.dataset.content import FOLDS, Dataset
from pathfolio.embeddings.dataset.split import Part
from pathfolio.kg.graph import IntArray
from pathfolio.kg.schema import NodeKind

_TEST_FOLDS: Final = {"train_mask": range(FOLDS - 2), "val_mask": (FOLDS - 2,), "test_mask": (FOLDS - 1,)}

Store = dict[str, Any]


def write_pyg(data: Dataset, folder: Path) -> None:
    """train.pt, valid.pt and test.pt, each for `HeteroData.from_dict`.

    A node type has num_nodes, known_at (days since 1970), fold (0..9) and, where the source has figures, x (scaled,
    0 where unknown) and x_known. An edge type has edge_index, time and, where it has weights, edge_weight: what was
    known before the part; edge_label_index is what came to be known in it and is to be predicted.
    """
    for part in Part:
        torch.save(_pyg_of(data, part), folder / f"{part.value}.pt")


def write_dgl(data: Dataset, folder: Path) -> None:
    """train.pt, valid.pt and test.pt, each the arguments of `dgl.heterograph`; ndata.pt, edata.pt and new.pt beside.

    ndata.pt and edata.pt have one dictionary a part, by name and type as `ndata` and `edata` take them; new.pt has the
    two ends of what is to be predicted in each part.
    """
    nodes: Store = {}
    edges: Store = {}
    new: Store = {}
    sizes = {kind.value: len(data.graph.rows(kind)) for kind in _kinds(data)}
    for part in Part:
        stores = _pyg_of(data, part)
        kinds = {key: store for key, store in stores.items() if isinstance(key, tuple)}
        ends = {key: tuple(store["edge_index"]) for key, store in kinds.items()}
        torch.save({"data_dict": ends, "num_nodes_dict": sizes}, folder / f"{part.value}.pt")
        nodes[part.value] = _turned({kind: stores[kind] for kind in sizes}, leave=("num_nodes",))
        edges[part.value] = _turned(kinds, leave=("edge_index", "edge_label_index"))
        new[part.value] = {key: tuple(store["edge_label_index"]) for key, store in kinds.items()}
    for name, stored in (("ndata", nodes), ("edata", edges), ("new", new)):
        torch.save(stored, folder / f"{name}.pt")


def _turned(stores: Mapping[Any, Store], leave: tuple[str, ...]) -> dict[str, dict[Any, torch.Tensor]]:
    """From what each type has to which types have something."""
    names = sorted({name for store in stores.values() for name in store if name not in leave})
    return {name: {key: store[name] for key, store in stores.items() if name in store} for name in names}


def _kinds(data: Dataset) -> list[NodeKind]:
    return [kind for kind in data.kinds if kind is not NodeKind.METRIC]


def _pyg_of(data: Dataset, part: Part) -> dict[Any, Store]:
    """What `HeteroData.from_dict` takes: by node type, and by (head, relation, tail)."""
    stores: dict[Any, Store] = {kind.value: _nodes(data, kind) for kind in _kinds(data)}
    _add_figures(data, part, stores)
    _add_labels(data, stores)
    known = dict(data.by_kind(data.context(part)))
    new = dict(data.by_kind(data.new(part)))
    none = np.zeros(0, np.int64)
    for key in sorted({**known, **new}, key=_in_order):
        name = tuple(each.value for each in key)
        stores[name] = _edges(data, known.get(key, none)) | {"edge_label_index": _ends(data, new.get(key, none))}
    return stores


def _in_order(key: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(each.value for each in key)


def _nodes(data: Dataset, kind: NodeKind) -> Store:
    rows = data.graph.rows(kind)
    return {
        "num_nodes": len(rows),
        "known_at": _tensor(data.graph.nodes.known_at[rows], np.int64),
        "fold": _tensor(data.fold[rows], np.int64),
    }


def _add_figures(data: Dataset, part: Part, stores: dict[Any, Store]) -> None:
    """The figures that were known before the part, scaled by those that were known at the end of training."""
    mean, spread = data.figures(data.days[Part.TRAIN]).scale()
    figures = data.figures(data.days[Part.VALID if part is Part.TEST else Part.TRAIN])
    if not figures.metrics:
        return
    whole = np.full((len(data.graph), len(figures.metrics)), np.nan)
    whole[figures.rows] = (figures.values - mean) / spread
    heads = {data.graph.kind_of(row) for row in data.figures(data.days[Part.TEST]).rows}
    for kind in sorted(heads):
        rows = data.graph.rows(kind)
        stores[kind.value]["x"] = _tensor(np.nan_to_num(whole[rows]), np.float32)
        stores[kind.value]["x_known"] = torch.from_numpy(~np.isnan(whole[rows]))


def _add_labels(data: Dataset, stores: dict[Any, Store]) -> None:
    """`y` of what is to be predicted, with masks by fold, or of everything that assets may share, each by its name."""
    number = np.full(len(data.graph), -1, np.int64)
    for classes in data.classes():
        number[:] = -1
        number[classes.rows] = classes.number
        for kind in sorted({data.graph.kind_of(row) for row in classes.rows}):
            rows = data.graph.rows(kind)
            name = "y" if data.label is not None else f"y_{classes.relation.value.lower()}"
            stores[kind.value][name] = _tensor(number[rows], np.int64)
            if data.label is not None:
                has_one = number[rows] >= 0
                for mask, folds in _TEST_FOLDS.items():
                    stores[kind.value][mask] = torch.from_numpy(has_one & np.isin(data.fold[rows], folds))


def _edges(data: Dataset, at: IntArray) -> Store:
    edges = data.graph.edges
    store = {"edge_index": _ends(data, at), "time": _tensor(data.start[at], np.int64)}
    weight = edges.weight[at]
    known = ~np.isnan(weight)
    if known.any():  # what has no weight among those that have gets what they have in the mean
        store["edge_weight"] = _tensor(np.where(known, weight, weight[known].mean()), np.float32)
    return store


def _ends(data: Dataset, at: IntArray) -> torch.Tensor:
    """(2, relations) int64: the numbers of head and tail among their kinds."""
    edges = data.graph.edges
    return _tensor(np.stack([data.place[edges.head[at]], data.place[edges.tail[at]]]), np.int64)


def _tensor(values: npt.NDArray[Any], kind: type) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=kind))
