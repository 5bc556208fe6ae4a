"""The two towers in torch: parameters, and the pass from inputs to vectors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pathfolio.kg.schema import ASSET_KINDS
from pathfolio.recommender.towers.batches import Readers
from pathfolio.recommender.towers.inputs import (
    ASSET_INPUTS,
    PROFILE_INPUTS,
    USER_NUMBERS,
    AssetInputs,
    TowerInputs,
    Vocabulary,
)
from pathfolio.recommender.towers.options import TowerOptions

CODE_WIDTH = 12
PRICE_WIDTH = 16
_PATCH = 8


@dataclass(frozen=True)
class AssetView:
    """`AssetInputs` as tensors."""

    own: Tensor
    categories: Tensor
    numbers: Tensor
    returns: Tensor
    priced: Tensor

    @staticmethod
    def of(inputs: AssetInputs) -> AssetView:
        """The tensors of one kind's assets."""
        returns = torch.as_tensor(inputs.returns)
        own, categories, numbers = (torch.as_tensor(p) for p in (inputs.own, inputs.categories, inputs.numbers))
        return AssetView(own, categories, numbers, returns, (returns != 0).any(1, keepdim=True).float())


class PriceEncoder(nn.Module):
    """(k, WINDOW) daily returns to (k, PRICE_WIDTH): a one-dimensional CNN, or a Transformer over weeks and a half."""

    def __init__(self, kind: str, window: int) -> None:
        """Random weights; `window` returns are read."""
        super().__init__()
        w = PRICE_WIDTH
        if kind == "cnn":
            first, second = nn.Conv1d(1, w, 5, stride=2), nn.Conv1d(w, w, 5, stride=2)
            self.layers = nn.Sequential(nn.Unflatten(1, (1, -1)), first, nn.ReLU(), second, nn.ReLU())
        else:
            layer = nn.TransformerEncoderLayer(w, 2, 2 * w, dropout=0.0, batch_first=True)
            blocks = nn.Sequential(_Patches(), nn.Linear(_PATCH, w), Places(window // _PATCH, w))
            self.layers = nn.Sequential(blocks, nn.TransformerEncoder(layer, 1), _Channels())

    def forward(self, returns: Tensor) -> Tensor:
        """The mean over time of what the layers find."""
        found: Tensor = self.layers(returns).mean(2)
        return found


class _Patches(nn.Module):
    def forward(self, returns: Tensor) -> Tensor:
        return returns.reshape(len(returns), -1, _PATCH)


class _Channels(nn.Module):
    def forward(self, steps: Tensor) -> Tensor:
        return steps.transpose(1, 2)


class Places(nn.Module):
    """Adds a learned vector for each place in a sequence."""

    def __init__(self, length: int, width: int) -> None:
        """Random vectors."""
        super().__init__()
        self.place = nn.Parameter(0.1 * torch.randn(length, width))

    def forward(self, steps: Tensor) -> Tensor:
        """(b, length, width), the same shape."""
        return steps + self.place


class AssetTower(nn.Module):
    """The sub-network of one kind of asset: categories, figures, graph vector and prices to a vector."""

    def __init__(self, numbers: int, codes: nn.Embedding, encoder: PriceEncoder, options: TowerOptions) -> None:
        """Random weights; `codes` and `encoder` are shared by the kinds."""
        super().__init__()
        self.codes = codes
        self.encoder = encoder
        width = numbers + len(ASSET_INPUTS) * CODE_WIDTH + PRICE_WIDTH
        self.layers = _layers(width, options.hidden, options.dimension + 1, options.dropout)

    def forward(self, view: AssetView) -> Tensor:
        """(k, d + 1): the vector, and the asset's own bias."""
        prices = self.encoder(view.returns) * view.priced
        vector: Tensor = self.layers(torch.cat([self.codes(view.categories).flatten(1), view.numbers, prices], 1))
        return vector


class HistoryEncoder(nn.Module):
    """What the past positions say: (b, memory, d) to (b, d), by GRU or Transformer."""

    def __init__(self, options: TowerOptions) -> None:
        """Random weights."""
        super().__init__()
        d = options.dimension
        self.recurrent = nn.GRU(d, d, batch_first=True) if options.sequence == "gru" else None
        if options.sequence != "gru":
            layer = nn.TransformerEncoderLayer(d, 2, 2 * d, dropout=0.0, batch_first=True)
            self.places = Places(options.memory, d)
            self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, past: Tensor, there: Tensor) -> Tensor:
        """`there` (b, memory) is 1 where there is a position; the newest is last."""
        if self.recurrent is not None:
            last: Tensor = self.recurrent(past)[1][0]
            return last
        masked = there == 0
        masked[:, -1] = False  # an investor without positions reads one empty place
        read: Tensor = self.encoder(self.places(past), src_key_padding_mask=masked)[:, -1]
        return read


class Towers(nn.Module):
    """Both towers. Vectors have d + 1 columns: the last adds an asset's bias to its score."""

    def __init__(self, vocabulary: Vocabulary, inputs: TowerInputs, options: TowerOptions) -> None:
        """Random weights from torch's generator; widths are those of `inputs`."""
        super().__init__()
        d = options.dimension
        h = options.hidden
        self.options = options
        self.codes = _embedding(len(vocabulary.codes) + 1, CODE_WIDTH, 0.3)
        self.own = _embedding(len(vocabulary.assets) + 1, d + 1, 0.05)
        self.past = _embedding(len(vocabulary.assets) + 1, d, 0.05)
        self.encoder = PriceEncoder(options.price_encoder, inputs.kinds[0].returns.shape[1])
        widths = [part.numbers.shape[1] for part in inputs.kinds]
        self.towers = nn.ModuleList(AssetTower(width, self.codes, self.encoder, options) for width in widths)
        self.read = nn.Linear(d, d, bias=False)
        self.history = HistoryEncoder(options)
        width = len(PROFILE_INPUTS) * CODE_WIDTH + USER_NUMBERS + 2 * d
        self.investor = _layers(width, h, d, options.dropout)
        self.heads = nn.ModuleList(nn.Linear(d, d) for _ in ASSET_KINDS)
        self.straight = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in ASSET_KINDS)

    def assets(self, views: list[AssetView], unseen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(assets, d + 1) vectors to rank, and (assets + 1, d) vectors to be read as positions, the last zero.

        Args:
            unseen: (assets,) 1 for assets whose own vector is left out.
        """
        content = torch.cat([tower(view) for tower, view in zip(self.towers, views, strict=True)])
        own = torch.cat([view.own for view in views])
        kept = (own > 0).float()[:, None] * (1.0 if unseen is None else 1.0 - unseen[:, None])
        read = self.read(content[:, :-1]) + self.past(own) * kept
        return content + self.own(own) * kept, torch.cat([read, read.new_zeros(1, read.shape[1])])

    def investors(self, readers: Readers, past: Tensor) -> Tensor:
        """(b, kinds, d + 1): one vector of each investor per kind of asset, from `assets`' second result."""
        history = torch.as_tensor(readers.history)
        there = (history >= 0).float()
        positions = past[history]
        mean = positions.sum(1) / there.sum(1, keepdim=True).clamp(min=1).sqrt()
        profile = self.codes(torch.as_tensor(readers.profile)).flatten(1)
        known = [profile, torch.as_tensor(readers.numbers), mean, self.history(positions, there)]
        inner = self.investor(torch.cat(known, 1))
        pairs = zip(self.heads, self.straight, strict=True)
        vectors = torch.stack([head(inner) + straight(mean) for head, straight in pairs], 1)
        return torch.cat([vectors, vectors.new_ones(*vectors.shape[:2], 1)], 2)


def products(investors: Tensor, assets: Tensor, kind_of: Tensor) -> Tensor:
    """(b, c) scores of assets in the order of their kinds: each with its kind's vector of the investor."""
    parts = [investors[:, kind] @ assets[kind_of == kind].T for kind in range(len(ASSET_KINDS))]
    return torch.cat(parts, 1)


def _embedding(rows: int, width: int, scale: float) -> nn.Embedding:
    """Row 0 stands for what is not known, and stays zero."""
    table = nn.Embedding(rows, width, padding_idx=0)
    nn.init.normal_(table.weight, std=scale)
    with torch.no_grad():
        table.weight[0] = 0.0
    return table


def _layers(width: int, hidden: int, out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, out))
