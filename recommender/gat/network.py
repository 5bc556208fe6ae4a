"""The graph attention network in torch: parameters, and the pass from a snapshot to asset vectors."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from pathfolio.kg.graph import IntArray
from pathfolio.recommender.gat.attention import NEGATIVE_SLOPE, AttentionOptions, AttentionWeights, log_group_size
from pathfolio.recommender.gat.inputs import ASSET_FEATURES, EDGE_TYPES, AttentionInputs


class Engine(Protocol):
    """A way to propagate; in DGL the same as in plain torch, `pathfolio.recommender.gat.torch_layers.TorchEngine`."""

    name: str

    def softmax(self, logits: torch.Tensor, target: torch.Tensor, n: int) -> torch.Tensor:
        """(e,): the softmax of the logits over the edges of each target."""
        ...

    def gather(
        self, attention: torch.Tensor, source: torch.Tensor, target: torch.Tensor, vectors: torch.Tensor, n: int
    ) -> torch.Tensor:
        """(n, d): attention times vectors, summed up per target."""
        ...


def choose_engine(name: str) -> Engine:
    """DGL where it is installed, unless told otherwise."""
    if name == "torch" or (name == "auto" and importlib.util.find_spec("dgl") is None):
        from pathfolio.recommender.gat.torch_layers import TorchEngine

        return TorchEngine()
    from pathfolio.recommender.gat.dgl_layers import DglEngine

    return DglEngine()


class Network(torch.nn.Module):
    """The learned arrays of `AttentionWeights` as parameters, and the pass from a snapshot to asset vectors."""

    def __init__(self, n_learned: int, n_groups: int, options: AttentionOptions, engine: Engine) -> None:
        """Random weights for `n_learned` nodes, whose codes are of `n_groups` groups."""
        super().__init__()
        d = options.dimension
        h = options.hidden
        rng = torch.Generator().manual_seed(options.seed)

        def normal(rows: int, columns: int, scale: float) -> torch.nn.Parameter:
            return torch.nn.Parameter(torch.randn(rows, columns, generator=rng) * scale)

        self.vectors = normal(n_learned, d, 0.1 * d**-0.5)
        self.assets = normal(ASSET_FEATURES, h, 0.3)
        self.nodes = normal(1, h, 0.3)
        self.sources = normal(d, h, 0.3)
        self.targets = normal(d, h, 0.3)
        self.types = normal(len(EDGE_TYPES), h, 0.3)
        self.readout = normal(len(EDGE_TYPES), h, 0.3)
        self.groups = torch.nn.Parameter(torch.ones(n_groups))
        self.mix = torch.nn.Parameter(torch.tensor([2.0, 1.0]))
        self.engine = engine

    def forward(self, view: View) -> tuple[torch.Tensor, torch.Tensor]:
        """Each asset's sum of codes, (assets, columns), and of learned vectors, (assets, d)."""
        own = self.vectors.index_select(0, view.own) * view.asset_features[:, -1:]
        at_asset = view.asset_features @ self.assets + own @ self.targets
        at_node = view.node_features @ self.nodes + self.vectors @ self.sources
        mixed = at_asset.index_select(0, view.target) + at_node.index_select(0, view.source)
        mixed = torch.nn.functional.leaky_relu(mixed + self.types.index_select(0, view.kind), NEGATIVE_SLOPE)
        logits = (mixed * self.readout.index_select(0, view.kind)).sum(1) - view.log_group
        n = len(view.own)
        source = view.source
        target = view.target
        attention = self.engine.softmax(logits, target, n)
        learned = self.engine.gather(attention, source, target, self.vectors, n)
        codes = self.engine.gather(attention, source, target, view.codes, n)
        return codes * self.groups[view.group_of], learned


def arrays_of(network: torch.nn.Module) -> AttentionWeights:
    """A copy of a network's parameters."""
    return AttentionWeights(
        **{f.name: getattr(network, f.name).detach().numpy().copy() for f in fields(AttentionWeights)}
    )


@dataclass(frozen=True)
class View:
    """`AttentionInputs` as tensors; sources are rows of learned vectors.

    `own` is each asset's row among the learned vectors (all assets of the training snapshot have one), `codes`
    (learned nodes, columns) and `group_of` (columns,) are the nodes' codes.
    """

    source: torch.Tensor
    target: torch.Tensor
    kind: torch.Tensor
    log_group: torch.Tensor
    asset_features: torch.Tensor
    node_features: torch.Tensor
    own: torch.Tensor
    codes: torch.Tensor
    group_of: torch.Tensor

    @staticmethod
    def of(inputs: AttentionInputs, learned: IntArray, codes: npt.NDArray[np.float32], group_of: IntArray) -> View:
        """The tensors of `inputs`; `learned` are the rows of the nodes with vectors, ascending."""
        row_of = np.full(inputs.n_nodes, -1, np.int64)
        row_of[learned] = np.arange(len(learned))
        return View(
            torch.as_tensor(row_of[inputs.source]),
            torch.as_tensor(inputs.target),
            torch.as_tensor(inputs.kind),
            torch.as_tensor(log_group_size(inputs)),
            torch.as_tensor(inputs.asset_features),
            torch.as_tensor(inputs.node_features[learned]),
            torch.as_tensor(row_of[inputs.assets]),
            torch.as_tensor(codes[learned]),
            torch.as_tensor(group_of),
        )


def sparse_tensor(matrix: sp.csr_array) -> torch.Tensor:
    """A torch tensor with the same entries, float32."""
    entries = sp.coo_array(matrix)
    index = torch.as_tensor(np.stack(entries.coords).astype(np.int64))
    values = torch.as_tensor(entries.data.astype(np.float32))
    return torch.sparse_coo_tensor(index, values, entries.shape, check_invariants=True).coalesce()
