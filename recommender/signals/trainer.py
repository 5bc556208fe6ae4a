"""The one trainer of the lab's networks: whole days as batches, early stopping, checkpoints that are gone on from.

Torch is imported with this file, which no page and no build does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.cells import Cells, Rows
from pathfolio.recommender.signals.model import SignalLesson
from pathfolio.recommender.signals.splits import EMBARGO
from pathfolio.recommender.signals.torch_losses import TORCH_LOSSES, VALIDATIONS, TorchLoss

Indices = npt.NDArray[np.int64]
Tell = Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]

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
        validation: what says when to stop, a name of `VALIDATIONS`; `loss` for the same.
        every: only each so many-th of the learned days is trained on; validation sees all of its own.
        together: so many days are one step's; above 1 only where a loss does not compare the assets of a day.
    """

    seed: int = 1
    epochs: int = 20
    patience: int = 3
    rate: float = 1e-3
    decay: float = 1e-4
    clip: float = 1.0
    loss: str = "mse"
    validation: str = "loss"
    every: int = 1
    together: int = 1


def as_told(network: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """(n, 1): the network's own output."""
    found: torch.Tensor = network(inputs)
    return found


def forecasts_of(
    lesson: SignalLesson,
    cells: Cells,
    network: Callable[[int], torch.nn.Module],
    options: TrainerOptions,
    tell: Tell = as_told,
) -> FloatArray:
    """(T, N): what a network that was trained on the lesson's cells tells on the days that are asked for.

    And on those that are held out of training, by which its level may be mended.

    Args:
        network: makes one for so many figures, from a day's inputs (`Cells.inputs`) to what the loss reads; called once
            the seed is set.
        tell: a forecast (n, 1) from a trained network and a day's inputs.

    Raises:
        UsageError: no such loss, or a checkpoint of another network.
    """
    if options.loss not in TORCH_LOSSES:
        raise UsageError(f"no loss {options.loss!r}: name one of {', '.join(TORCH_LOSSES)}")
    if options.validation not in ("loss", *VALIDATIONS):
        raise UsageError(f"no validation {options.validation!r}: name loss, or one of {', '.join(VALIDATIONS)}")
    if options.validation == "liquid" and not cells.room.any():
        raise UsageError(f"{lesson.panel.name}: nothing tells what was traded: leave validation=liquid out")
    out = np.full(lesson.labels.shape, np.nan)
    days = _days(cells, np.isfinite(cells.truth))
    if len(days) < _FEWEST_DAYS:
        return out
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    made = network(cells.figures).to(device)
    about = f"{options} {made} {_digest(cells.rows, cells.truth, cells.market)}"
    _train(made, cells, (days, lesson.horizon + 1 + EMBARGO), options, (lesson.keep, about))
    made.eval()
    asked = lesson.asked.copy()
    asked[cells.day[held_out_cells(cells)]] = True
    with torch.no_grad():
        for part in _days(cells, asked[cells.day], fewest=1):
            found = tell(made, cells.inputs(part).to(device)).squeeze(-1)
            out[cells.day[part], cells.asset[part]] = found.cpu().numpy()
    return out


def _digest(*arrays: Rows) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _days(cells: Cells, kept: np.ndarray[Any, np.dtype[np.bool_]], fewest: int = _FEWEST_CELLS) -> list[Indices]:
    """The kept cells of each day that has enough of them, in order."""
    found = np.flatnonzero(kept)
    parts = np.split(found, np.flatnonzero(np.diff(cells.day[found])) + 1)
    return [part for part in parts if len(part) >= fewest]


def _held_out(order: list[Indices]) -> list[Indices]:
    return order[int(len(order) * (1 - _HELD_OUT)) :]


def held_out_cells(cells: Cells) -> Indices:
    """The cells by which a network is stopped, and by which its level may be mended."""
    return np.concatenate([*_held_out(_days(cells, np.isfinite(cells.truth))), np.zeros(0, np.int64)])


def _train(
    network: torch.nn.Module,
    cells: Cells,
    days: tuple[list[Indices], int],
    options: TrainerOptions,
    checkpoint: tuple[Path | None, str],
) -> None:
    """Leave the network with the weights of its best epoch by the held-out days, which a gap parts from the others."""
    (order, gap), (keep, about) = days, checkpoint
    held_out = _held_out(order)
    train = order[: max(len(order) - len(held_out) - gap, 1)][:: options.every]
    judge = VALIDATIONS[options.loss if options.validation == "loss" else options.validation]
    optimiser = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=options.decay)
    rng = np.random.default_rng(options.seed)
    state: dict[str, Any] = {"epoch": 0, "best": np.inf, "best_epoch": 0, "weights": network.state_dict()}
    if keep is not None and keep.exists():
        state = _resumed(network, optimiser, keep, about)
    for epoch in range(options.epochs):
        shuffled = rng.permutation(len(train)).tolist()  # for epochs that are done, too: a resumed run is the same
        if epoch < state["epoch"] or epoch - state["best_epoch"] > options.patience:
            continue
        torch.manual_seed(options.seed * 1000 + epoch)
        network.train()
        for begin in range(0, len(shuffled), options.together):
            step = np.concatenate([train[at] for at in shuffled[begin : begin + options.together]])
            optimiser.zero_grad()
            torch.autograd.backward(_loss(network, cells, step, TORCH_LOSSES[options.loss]))
            torch.nn.utils.clip_grad_norm_(network.parameters(), options.clip)
            optimiser.step()
        network.eval()
        with torch.no_grad():
            value = float(torch.stack([_loss(network, cells, day, judge) for day in held_out]).mean())
        if value < state["best"]:
            best = {name: each.detach().clone() for name, each in network.state_dict().items()}
            state |= {"best": value, "best_epoch": epoch, "weights": best}
        state["epoch"] = epoch + 1
        if keep is not None:
            _kept(network, optimiser, state, keep, about)
    network.load_state_dict(state["weights"])


def _loss(network: torch.nn.Module, cells: Cells, day: Indices, loss: TorchLoss) -> torch.Tensor:
    device = next(network.parameters()).device
    forecast = network(cells.inputs(day).to(device)).squeeze(-1)
    return loss(forecast.cpu(), cells.cross_section(day))


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
