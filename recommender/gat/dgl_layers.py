"""The attention layer in DGL; the only file that imports it."""

from __future__ import annotations

import os

import torch

os.environ.setdefault("DGLBACKEND", "pytorch")  # else DGL prints, and writes a file into the home folder

import dgl  # after the line above
from dgl import function
from dgl.nn.functional import edge_softmax


class DglEngine:
    """Message passing over DGL's bipartite blocks, from nodes to assets."""

    name = "dgl"

    def softmax(self, logits: torch.Tensor, target: torch.Tensor, n: int) -> torch.Tensor:
        """See `pathfolio.recommender.gat.torch_layers.TorchEngine.softmax`."""
        edges = torch.arange(len(target))
        block = dgl.create_block((edges, target), num_src_nodes=len(target), num_dst_nodes=n)
        attention: torch.Tensor = edge_softmax(block, logits)
        return attention

    def gather(
        self, attention: torch.Tensor, source: torch.Tensor, target: torch.Tensor, vectors: torch.Tensor, n: int
    ) -> torch.Tensor:
        """See `pathfolio.recommender.gat.torch_layers.TorchEngine.gather`."""
        block = dgl.create_block((source, target), num_src_nodes=len(vectors), num_dst_nodes=n)
        with block.local_scope():
            block.srcdata["vector"] = vectors
            block.edata["attention"] = attention[:, None]
            block.update_all(function.u_mul_e("vector", "attention", "message"), function.sum("message", "out"))
            out: torch.Tensor = block.dstdata["out"]
            return out
