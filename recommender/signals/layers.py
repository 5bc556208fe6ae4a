"""Parts that several networks of the lab are put together from."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

_MOST_DROPPED = 0.9


class Recurrent(nn.Module):
    """A recurrent layer over (n, days, F), and a line on its state after the last day: (n, 1)."""

    def __init__(self, layer: nn.GRU | nn.LSTM, dropout: float) -> None:
        """`dropout`: of that state."""
        super().__init__()
        self.layer = layer
        self.leave = nn.Sequential(nn.Dropout(min(dropout, _MOST_DROPPED)), nn.Linear(layer.hidden_size, 1))

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """(n, 1)."""
        found: torch.Tensor = self.leave(self.layer(window)[0][:, -1])
        return found


class Transformed(nn.Module):
    """Attention and a perceptron, each with the norm before it and added to what came: (n, L, D) to (n, L, D)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """`heads` divides `width`."""
        super().__init__()
        self.heads = heads
        self.norm, self.norm_after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.together = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.drop = nn.Dropout(min(dropout, _MOST_DROPPED))
        self.forth = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), self.drop, nn.Linear(2 * width, width))

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        """(n, L, D)."""
        n, length, width = state.shape
        parts = self.queries_keys_values(self.norm(state)).view(n, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        state = state + self.drop(self.together(mixed.transpose(1, 2).reshape(n, length, width)))
        out: torch.Tensor = state + self.drop(self.forth(self.norm_after(state)))
        return out
