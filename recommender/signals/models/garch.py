"""GARCH(1,1) of each asset, by maximum likelihood; `arch` fits it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class Garch(SignalModel):
    """Fitted on the days that may be learned, then run on through those that are asked about."""

    name: ClassVar[str] = "garch"
    target: ClassVar[Target] = Target.VOLATILITY
    about: ClassVar[str] = "GARCH(1,1) of each asset's returns, fitted once for each test block"
    paper: ClassVar[str] = "Bollerslev 1986, Journal of Econometrics 31(3)"
    equation: ClassVar[str] = r"\sigma^2_{t+1} = \omega + \alpha\, r_t^2 + \beta\, \sigma^2_t"
    needs: ClassVar[str] = "arch"
    learns: ClassVar[bool] = True

    fewest: int = option(250, "returns to fit on")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance, the mean over the horizon; NaN for an asset with too few returns."""
        returns = 100 * lesson.panel["return"]
        out = np.full(returns.shape, np.nan)
        wanted = (lesson.panel.universe & lesson.asked[:, None]).any(axis=0)
        for asset in np.flatnonzero(wanted).tolist():
            known = np.isfinite(returns[:, asset])
            series = returns[known & lesson.learned, asset]
            if len(series) >= self.fewest and np.ptp(series) > 0:
                out[known, asset] = _one(series, returns[known, asset], lesson.horizon) / 1e4
        return out


def _one(learned: FloatArray, series: FloatArray, horizon: int) -> FloatArray:
    """The forecasts of one asset after each of `series`' returns, in squared percent."""
    from arch import arch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what did not converge is compared as it is
        fitted = arch_model(learned, mean="Zero", rescale=False).fit(disp="off", show_warning=False)
    omega, alpha, beta = (float(value) for value in fitted.params)
    settled = float(np.mean(learned**2))
    state, states = settled, np.empty(len(series))
    for at, squared in enumerate((series**2).tolist()):
        state = omega + alpha * squared + beta * state
        states[at] = state
    lasting = alpha + beta
    if horizon == 1:
        return states
    if lasting > 1 - 1e-6:
        return states + omega * (horizon - 1) / 2
    level = omega / (1 - lasting)
    return level + (states - level) * (1 - lasting**horizon) / (horizon * (1 - lasting))
