"""How the two towers are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pathfolio.kg.errors import UsageError

CHOICES: Final = {
    "sequence": ("gru", "transformer"),
    "price_encoder": ("cnn", "transformer"),
    "loss": ("softmax", "bpr", "bce"),
}


@dataclass(frozen=True)
class TowerOptions:
    """How the network looks and learns.

    Attributes:
        seed: of everything random.
        dimension: columns of the vectors; `hidden` width of the inner layers.
        sequence: reads an investor's past positions: "gru" or "transformer", the last `memory` of them.
        price_encoder: reads an asset's closes: "cnn" (one-dimensional) or "transformer".
        loss: of a purchase against its negatives: "softmax" (Yi et al. 2019), "bpr" (Rendle et al. 2009) or
            "bce", binary cross-entropy.
        batch: investors per step; what they bought are each other's negatives.
        popular, even: further negatives of a step, drawn by popularity and evenly.
        hard, hard_weight: negatives of each investor from the `hard_from` assets that now score highest; they
            enter by BPR, with this weight.
        recent: how much more a purchase of the last half year counts as a target than an older position.
        hidden_share: share of an investor's positions that a step hides and asks for.
        unseen: share of assets whose own vector a step leaves out, so that the towers learn to do without.
        rate, rate_decay: Adam's learning rate, and its factor after every epoch; `penalty` is the L2 on all weights.
        dropout: within the towers.
        averaging: the network that is kept is a moving average; each step counts 1 - averaging.
        max_epochs, patience: of the search for the number of epochs by validation nDCG@10.
        horizon_days: length of the inner window whose purchases validate.
        validation: investors who validate, at most.
    """

    seed: int = 0
    dimension: int = 64
    hidden: int = 96
    sequence: str = "gru"
    memory: int = 24
    price_encoder: str = "cnn"
    loss: str = "softmax"
    batch: int = 512
    popular: int = 128
    even: int = 128
    hard: int = 4
    hard_from: int = 40
    hard_weight: float = 0.1
    recent: float = 2.0
    hidden_share: float = 0.5
    unseen: float = 0.1
    rate: float = 0.003
    rate_decay: float = 0.95
    penalty: float = 1e-4
    dropout: float = 0.2
    averaging: float = 0.98
    max_epochs: int = 16
    patience: int = 5
    horizon_days: int = 182
    validation: int = 2000

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"no {name} {getattr(self, name)!r} of the two towers: choose {' or '.join(allowed)}")
