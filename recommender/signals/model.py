"""What a model of the lab is: a class with its options, paper and equation, and one method that tells forecasts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

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


def option(default: Any, meaning: str, *, least: float | None = None) -> Any:
    """A field of a model: what it is by default, a sentence that tells it, and of a number the least; else above 0."""
    return field(default=default, metadata={"meaning": meaning, "least": least})


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
    own: Any = model
    known = {made.name: made for made in fields(own)}
    read: dict[str, Any] = {}
    for name, text in given.items():
        if name not in known:
            raise UsageError(f"{model.name} has no option {name!r}: it has {', '.join(known) or 'none'}")
        read[name] = _read(text, known[name].default, known[name].metadata["least"], f"{model.name}: {name}={text}")
    return model(**read)


_TRUTH: Final = MappingProxyType({"true": True, "false": False})


def _read(text: str, default: Any, least: float | None, said: str) -> Any:
    """A text as a value of the default's type."""
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text not in _TRUTH:
            raise UsageError(f"{said}: write true or false")
        return _TRUTH[text]
    try:
        value = type(default)(text)
    except ValueError:
        raise UsageError(f"{said}: write a value like {default}") from None
    if not np.isfinite(value) or (value <= 0 if least is None else value < least):
        raise UsageError(f"{said}: write a value {'above 0' if least is None else f'of {least:g} or more'}")
    return value
