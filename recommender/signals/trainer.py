"""The one trainer of the lab's networks: whole days as batches, early stopping, checkpoints that are gone on from.

Torch is imported with this file, which no page and no build does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.features import Features, features_of
from pathfolio.recommender.signals.model import SignalLesson
from pathfolio.recommender.signals.splits import EMBARGO

TorchLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""loss(forecast, truth) of one day's cross-section (n,), both; a number to make small."""

_HELD_OUT: Final = 0.15
"""The last part of the learned days, which says when to stop."""

_FEWEST_DAYS: Final = 60
_FEWEST_CELLS: Final = 10


@dataclass(frozen=True)
class TrainerOptions:
    """How to train.

    Attributes:
        seed: of the first weights, the order of the days and what is dropped.
        epochs: at most.
        patience: epochs without a better validation loss, after which it stops.
        rate, decay: of AdamW.
        clip: the largest norm of a step's gradient.
        loss: its name, of `TORCH_LOSSES`.
    """

    seed: int = 1
    epochs: int = 20
    patience: int = 3
    rate: float = 1e-3
    decay: float = 1e-4
    clip: float = 1.0
    loss: str = "mse"


def _ic(forecast: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Minus Pearson's correlation."""
    x, y = forecast - forecast.mean(), truth - truth.mean()
    spread: torch.Tensor = x.norm() * y.norm() + 1e-8
    return -(x * y).sum() / spread


def _squared(forecast: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (forecast - truth).square().mean()


def _wpcc(forecast: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Minus the weighted correlation whose weights fall by half from the highest true rank to the lowest."""
    place = torch.argsort(torch.argsort(truth, descending=True)).to(truth)
    weight = 0.5 ** (place / max(len(truth) - 1, 1))
    weight = weight / weight.sum()
    x, y = forecast - (weight * forecast).sum(), truth - (weight * truth).sum()
    spread = ((weight * x * x).sum() * (weight * y * y).sum()).clamp_min(1e-16).sqrt()
    return -(weight * x * y).sum() / spread


TORCH_LOSSES: Final = MappingProxyType[str, TorchLoss]({"mse": _squared, "ic": _ic, "wpcc": _wpcc})
"""What a network may make small; `wpcc` weighs by powers of a half, .5^((j - 1) / (N - 1)) for true rank j of N."""


def forecasts_of(
    lesson: SignalLesson, network: Callable[[int], torch.nn.Module], options: TrainerOptions
) -> FloatArray:
    """(T, N): what a network that was trained on the lesson's features tells on the days that are asked for.

    Args:
        network: makes one for so many features (n, F) -> (n, 1); called once the seed is set.

    Raises:
        UsageError: no such loss, or a checkpoint of another network.
    """
    if options.loss not in TORCH_LOSSES:
        raise UsageError(f"no loss {options.loss!r}: name one of {', '.join(TORCH_LOSSES)}")
    features = features_of(lesson.panel)
    target = rolling.ranks(lesson.labels, lesson.panel.universe)[features.day, features.asset]
    days = _days(features, np.isfinite(target))
    out = np.full(lesson.labels.shape, np.nan)
    if len(days) < _FEWEST_DAYS:
        return out
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    made = network(features.values.shape[1]).to(device)
    about = f"{options} {made} {hashlib.sha256(features.values.tobytes() + target.tobytes()).hexdigest()}"
    inputs, truth = torch.from_numpy(features.values), torch.from_numpy(np.nan_to_num(target).astype(np.float32))
    _train(made, (inputs, truth), (days, lesson.horizon + 1 + EMBARGO), options, (lesson.keep, about))
    made.eval()
    asked = np.flatnonzero(lesson.asked[features.day])
    with torch.no_grad():
        found = made(inputs[asked].to(device)).squeeze(-1).cpu().numpy()
    out[features.day[asked], features.asset[asked]] = found
    return out


def _days(features: Features, known: np.ndarray[Any, np.dtype[np.bool_]]) -> list[torch.Tensor]:
    """The known cells of each day that has enough of them, in order."""
    cells = np.flatnonzero(known)
    parts = np.split(cells, np.flatnonzero(np.diff(features.day[cells])) + 1)
    return [torch.from_numpy(part) for part in parts if len(part) >= _FEWEST_CELLS]


def _train(
    network: torch.nn.Module,
    data: tuple[torch.Tensor, torch.Tensor],
    days: tuple[list[torch.Tensor], int],
    options: TrainerOptions,
    checkpoint: tuple[Path | None, str],
) -> None:
    """Leave the network with the weights of its best epoch by the held-out days, which a gap parts from the others."""
    (order, gap), (keep, about) = days, checkpoint
    cut = int(len(order) * (1 - _HELD_OUT))
    train, held_out = order[: max(cut - gap, 1)], order[cut:]
    optimiser = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=options.decay)
    rng = np.random.default_rng(options.seed)
    state: dict[str, Any] = {"epoch": 0, "best": np.inf, "best_epoch": 0, "weights": network.state_dict()}
    if keep is not None and keep.exists():
        state = _resumed(network, optimiser, keep, about)
    for epoch in range(options.epochs):
        shuffled = rng.permutation(
            len(train)
        ).tolist()  # drawn for epochs that are done, too: a resumed run is the same
        if epoch < state["epoch"] or epoch - state["best_epoch"] > options.patience:
            continue
        torch.manual_seed(options.seed * 1000 + epoch)
        network.train()
        for at in shuffled:
            optimiser.zero_grad()
            torch.autograd.backward(_loss(network, data, train[at], options))
            torch.nn.utils.clip_grad_norm_(network.parameters(), options.clip)
            optimiser.step()
        network.eval()
        with torch.no_grad():
            value = float(torch.stack([_loss(network, data, day, options) for day in held_out]).mean())
        if value < state["best"]:
            best = {name: each.detach().clone() for name, each in network.state_dict().items()}
            state |= {"best": value, "best_epoch": epoch, "weights": best}
        state["epoch"] = epoch + 1
        if keep is not None:
            _kept(network, optimiser, state, keep, about)
    network.load_state_dict(state["weights"])


def _loss(
    network: torch.nn.Module, data: tuple[torch.Tensor, torch.Tensor], day: torch.Tensor, options: TrainerOptions
) -> torch.Tensor:
    device = next(network.parameters()).device
    forecast = network(data[0][day].to(device)).squeeze(-1)
    return TORCH_LOSSES[options.loss](forecast, data[1][day].to(device))


def _kept(network: torch.nn.Module, optimiser: Any, state: dict[str, Any], keep: Path, about: str) -> None:
    """Write a checkpoint in one rename."""
    keep.parent.mkdir(parents=True, exist_ok=True)
    aside = keep.with_suffix(".part")
    last = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "about": about}
    torch.save({**state, **last}, aside)
    aside.replace(keep)


def _resumed(network: torch.nn.Module, optimiser: Any, keep: Path, about: str) -> dict[str, Any]:
    """Load a checkpoint into network and optimiser."""
    found: dict[str, Any] = torch.load(keep, weights_only=True)
    if found.pop("about") != about:
        raise UsageError(f"{keep}: of another network or other data: name another folder with --checkpoints")
    network.load_state_dict(found.pop("network"))
    optimiser.load_state_dict(found.pop("optimiser"))
    return found
