"""What a network makes small on each day, by name; of a day's cross-section alone, so no day outweighs another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch

from pathfolio.recommender.signals.trading import TradingTerms


@dataclass(frozen=True, eq=False)
class CrossSection:
    """What came of the known cells of a day: (n,) tensors.

    Attributes:
        truth: what the network is to tell: a rank from -0.5 to 0.5, or a daily variance in squared percent.
        came: the label itself, such as a return as a fraction.
        liquidity: the rank of traded value among them, from 0 to 1.
        room: money that may be put into each; 0 where nothing is known of what is traded.
    """

    truth: torch.Tensor
    came: torch.Tensor
    liquidity: torch.Tensor
    room: torch.Tensor


TorchLoss = Callable[[torch.Tensor, CrossSection], torch.Tensor]
"""loss(forecast, day) of (n,) forecasts; a number to make small."""


def _squared(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    return (forecast - day.truth).square().mean()


def _weighted(forecast: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Minus Pearson's correlation with weights."""
    weight = weight / weight.sum()
    x, y = forecast - (weight * forecast).sum(), truth - (weight * truth).sum()
    spread = ((weight * x * x).sum() * (weight * y * y).sum()).clamp_min(1e-16).sqrt()
    return -(weight * x * y).sum() / spread


def _ic(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    return _weighted(forecast, day.truth, torch.ones_like(day.truth))


def _wpcc(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    place = torch.argsort(torch.argsort(day.truth, descending=True)).to(day.truth)
    return _weighted(forecast, day.truth, 0.5 ** (place / max(len(place) - 1, 1)))


def _liq_wpcc(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    return _weighted(forecast, day.truth, 0.5 + 0.5 * torch.sigmoid(40 * day.liquidity * day.came))


def _qlike(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    return (forecast + day.truth * torch.exp(-forecast)).mean()


def _student(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    """Of returns whose squares `truth` has; forecast (n, 2): log variance, and degrees of freedom above 2."""
    level, above = forecast.unbind(-1)
    half = (above + 3) / 2
    told = torch.lgamma(half - 0.5) - torch.lgamma(half) + 0.5 * (torch.log(math.pi * above) + level)
    return (told + half * torch.log1p(day.truth * torch.exp(-level) / above)).mean()


def _liquid(forecast: torch.Tensor, day: CrossSection) -> torch.Tensor:
    """Minus what a budget earns that is filled from the best forecast down, over the mean of all."""
    order = torch.argsort(forecast, descending=True, stable=True)
    room = day.room[order]
    spent = torch.minimum((TradingTerms().budget - (room.cumsum(0) - room)).clamp_min(0), room)
    return day.came.mean() - (spent * day.came[order]).sum() / spent.sum().clamp_min(1e-9)


TORCH_LOSSES: Final = MappingProxyType[str, TorchLoss](
    {"mse": _squared, "ic": _ic, "wpcc": _wpcc, "liq-wpcc": _liq_wpcc, "qlike": _qlike, "student": _student}
)
"""`ic`: minus the correlation. `wpcc`: minus the correlation weighted by .5^((j - 1) / (N - 1)) for true rank j of N,
`liq-wpcc` by .5 + .5 sigmoid(40 l r) for liquidity l and return r. `qlike`: of a forecast of variance's logarithm.
`student`: minus the log likelihood of Student's t around zero."""

VALIDATIONS: Final = MappingProxyType[str, TorchLoss]({**TORCH_LOSSES, "liquid": _liquid})
"""What may say when to stop: a loss, or what a budget would have earned, which has no gradient."""
