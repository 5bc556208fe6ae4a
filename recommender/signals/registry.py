"""Every model of the lab, by name: the one list of them."""

from __future__ import annotations

from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from pathfolio.kg.errors import UsageError
from pathfolio.recommender.signals.model import SignalModel, with_options
from pathfolio.recommender.signals.models.alpha101 import Alpha101
from pathfolio.recommender.signals.models.beta import ShrunkBeta
from pathfolio.recommender.signals.models.boosted_trees import BoostedTrees
from pathfolio.recommender.signals.models.deepar import DeepAr
from pathfolio.recommender.signals.models.ewma import Ewma
from pathfolio.recommender.signals.models.garch import Garch
from pathfolio.recommender.signals.models.ginn import Ginn
from pathfolio.recommender.signals.models.gru import Gru
from pathfolio.recommender.signals.models.har import Har
from pathfolio.recommender.signals.models.har_qlike import HarQlike
from pathfolio.recommender.signals.models.high_52w import YearHigh
from pathfolio.recommender.signals.models.low_volatility import LowVolatility
from pathfolio.recommender.signals.models.lstm import Lstm
from pathfolio.recommender.signals.models.lstm_qlike import LstmQlike
from pathfolio.recommender.signals.models.master import Master
from pathfolio.recommender.signals.models.mlp import Mlp
from pathfolio.recommender.signals.models.momentum import MomentumSignal
from pathfolio.recommender.signals.models.reversal import Reversal
from pathfolio.recommender.signals.models.ridge import Ridge
from pathfolio.recommender.signals.models.transformer import Transformer

_CLASSES: Final[tuple[type[SignalModel], ...]] = (
    Reversal,
    MomentumSignal,
    LowVolatility,
    YearHigh,
    Ridge,
    Alpha101,
    BoostedTrees,
    Mlp,
    Gru,
    Lstm,
    Transformer,
    Master,
    Ewma,
    Har,
    HarQlike,
    Garch,
    LstmQlike,
    Ginn,
    DeepAr,
    ShrunkBeta,
)

SIGNAL_MODELS: Final = MappingProxyType({model.name: model for model in _CLASSES})
"""Name to class; a new model is a file in `models` and a line above."""


def is_available(model: type[SignalModel]) -> bool:
    """Whether the package that it needs is installed."""
    return not model.needs or find_spec(model.needs) is not None


def chosen_models(text: str, options: dict[str, dict[str, str]] | None = None) -> list[SignalModel]:
    """The models of a list like `ridge,ewma`; `all` for those whose packages are installed.

    Args:
        options: by model, its options as texts.

    Raises:
        UsageError: no such model or option, or its package is not installed.
    """
    names = [n for n, m in SIGNAL_MODELS.items() if is_available(m)] if text == "all" else text.split(",")
    given = options or {}
    for name in [*names, *given]:
        if name not in SIGNAL_MODELS:
            raise UsageError(f"no model {name!r}: name all, or some of {', '.join(SIGNAL_MODELS)}")
        if not is_available(SIGNAL_MODELS[name]):
            raise UsageError(f"{name} needs {SIGNAL_MODELS[name].needs}: pip install 'pathfolio[signals]'")
    unused = sorted(set(given) - set(names))
    if unused:
        raise UsageError(f"options of {unused[0]}, which is not asked for: name it with --models")
    return [with_options(SIGNAL_MODELS[name], given.get(name, {})) for name in dict.fromkeys(names)]
