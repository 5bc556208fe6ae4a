"""The attention layer in plain torch: a softmax over each asset's edges and a sum by scatter."""

from __future__ import annotations

import torch


class TorchEngine:
    """What `pathfolio.recommender.gat.dgl_layers.DglEngine` does, without DGL."""

    name = "torch"

    def softmax(self, logits: torch.Tensor, target: torch.Tensor, n: int) -> torch.Tensor:
        """(e,) attention: the softmax of the logits over the edges of each target.

        Args:
            logits: (e,) float32, one per edge.
            target: (e,) int64, below n.
            n: number of targets.
        """
        top = torch.full((n,), -torch.inf, dtype=logits.dtype)
        top = top.scatter_reduce(0, target, logits.detach(), "amax")
        parts = torch.exp(logits - top.index_select(0, target))
        total = torch.zeros(n, dtype=logits.dtype).index_add(0, target, parts)
        return parts / total.index_select(0, target)

    def gather(
        self, attention: torch.Tensor, source: torch.Tensor, target: torch.Tensor, vectors: torch.Tensor, n: int
    ) -> torch.Tensor:
        """(n, d) float32: attention times the vectors at the far ends, summed up per target; zeros without edges.

        Args:
            attention: (e,) float32.
            source, target: (e,) int64: rows of `vectors`, and of what is returned.
            vectors: (nodes, d) float32.
            n: number of targets.
        """
        rows = vectors.index_select(0, source) * attention[:, None]
        return torch.zeros(n, vectors.shape[1], dtype=vectors.dtype).index_add(0, target, rows)
