"""What a model of the lab is: a class with its options, paper and equation, and one method that tells forecasts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.panel import Mask, Panel


@dataclass(frozen=True, eq=False)
class SignalLesson:
    """All that a model may learn from, and the days that it is asked about.

    Attributes:
        panel: the days; of day t a forecast may read days up to t alone.
        labels: (T, N) what followed, NaN where it may not be learned.
        learned: (T,) bool: the days that may be learned from.
        asked: (T,) bool: other rows of the answer are not looked at, and may be NaN.
        horizon: trading days that are foretold.
        keep: a file in which a model that takes long may keep how far it has come.
    """

    panel: Panel
    labels: FloatArray
    learned: Mask
    asked: Mask
    horizon: int
    keep: Path | None = None


def option(default: Any, meaning: str) -> Any:
    """A field of a model: what it is by default, and a sentence that tells it."""
    return field(default=default, metadata={"meaning": meaning})


class SignalModel(ABC):
    """A model; its subclasses are frozen dataclasses whose fields are their options.

    Attributes:
        name: as on the command line and in facts.
        target: what it tells.
        about: one sentence.
        paper: where it is published.
        equation: in LaTeX.
        needs: the package that it imports; empty for none.
        learns: whether it needs labels, and so days before the first that it is asked about.
    """

    name: ClassVar[str]
    target: ClassVar[Target]
    about: ClassVar[str]
    paper: ClassVar[str]
    equation: ClassVar[str]
    needs: ClassVar[str] = ""
    learns: ClassVar[bool] = False

    @abstractmethod
    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): higher for a higher return; a daily variance; or a beta. NaN where nothing can be told."""


def options_of(model: type[SignalModel]) -> dict[str, tuple[Any, str]]:
    """Each option's default and sentence."""
    own: Any = model
    return {made.name: (made.default, str(made.metadata["meaning"])) for made in fields(own)}


def with_options(model: type[SignalModel], given: dict[str, str]) -> SignalModel:
    """A model with some options given as texts.

    Raises:
        UsageError: no such option, or not of the default's type.
    """
    known = options_of(model)
    read: dict[str, Any] = {}
    for name, text in given.items():
        if name not in known:
            raise UsageError(f"{model.name} has no option {name!r}: it has {', '.join(known) or 'none'}")
        kind = type(known[name][0])
        if kind is str:
            read[name] = text
            continue
        try:
            read[name] = kind(text)
        except ValueError:
            raise UsageError(f"{model.name}: {name}={text}: write a value like {known[name][0]}") from None
        if not np.isfinite(read[name]) or read[name] <= 0:
            raise UsageError(f"{model.name}: {name}={text}: write a value above 0")
    return model(**read)
