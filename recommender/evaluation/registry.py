"""Every model that can be evaluated, by name: the one list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.recommender.baselines.als import fit_als
from pathfolio.recommender.baselines.content import fit_content
from pathfolio.recommender.baselines.ease import fit_ease, fit_strong_ease, fit_weekly_ease
from pathfolio.recommender.baselines.item_knn import fit_item_knn
from pathfolio.recommender.baselines.lambdamart import fit_lambdamart
from pathfolio.recommender.baselines.lightgcn import fit_lightgcn
from pathfolio.recommender.baselines.meta.model import (
    fit_joint,
    fit_learned_optimiser,
    fit_lstm_learner,
    fit_maml,
    fit_matching,
    fit_prototypical,
    fit_reptile,
)
from pathfolio.recommender.baselines.popularity import fit_popularity, fit_random, fit_recent
from pathfolio.recommender.baselines.rp3beta import fit_rp3beta
from pathfolio.recommender.baselines.segments import fit_recent_segment, fit_segment
from pathfolio.recommender.baselines.slim import fit_slim
from pathfolio.recommender.baselines.user_knn import fit_user_knn
from pathfolio.recommender.model import Model
from pathfolio.recommender.towers.model import fit_two_towers
from pathfolio.recommender.training import fit_scorer

Fitter = Callable[[KnowledgeGraph, int], Model]
"""fit(graph, seed) -> Model."""

PricedFitter = Callable[[KnowledgeGraph, int, pd.DataFrame | None], Model]
"""fit(graph, seed, prices up to the snapshot's date) -> Model."""


@dataclass(frozen=True)
class ModelSpec:
    """How to fit one model and what to say about it.

    Attributes:
        name: as on the command line and in tables.
        fit: `fit(graph, seed)` gives the fitted model.
        about: what it does, in one line.
        paper: where it is published; empty for what needs no paper.
        seeded: the seed changes its result, so it is fitted once per seed.
        scores_unheld: it can tell one asset that nobody has held from another. Others are asked, on frozen folds,
            for assets that somebody has had.
        baseline: something to be beaten, as opposed to our own.
        frozen: takes part in frozen folds if "all" are asked for.
        rolling: takes part in rolling evaluation if "all" are asked for.
        needs: the optional package that it imports; empty for none.
        fit_priced: fits a model that reads prices as well.
    """

    name: str
    fit: Fitter
    about: str
    paper: str = ""
    seeded: bool = False
    scores_unheld: bool = False
    baseline: bool = True
    frozen: bool = True
    rolling: bool = True
    needs: str = ""
    fit_priced: PricedFitter | None = None

    def fitted(self, graph: KnowledgeGraph, seed: int, prices: pd.DataFrame | None = None) -> Model:
        """The model of `graph`; prices dated after it are taken away before a model sees them."""
        if self.fit_priced is None:
            return self.fit(graph, seed)
        known = None if prices is None else prices[prices["date"] <= pd.Timestamp(graph.as_of)]
        return self.fit_priced(graph, seed, known)

    @property
    def available(self) -> bool:
        """Whether the package that it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None


_SPECS: Final = (
    ModelSpec(
        "pathfolio",
        fit_scorer,
        "the served score: a sum over walks of the graph",
        seeded=True,
        scores_unheld=True,
        baseline=False,
        fit_priced=fit_scorer,
    ),
    ModelSpec("random", fit_random, "random order", seeded=True, rolling=False),
    ModelSpec("popularity", fit_popularity, "what most investors have or had", "Cremonesi et al. 2010"),
    ModelSpec("recent", fit_recent, "what most investors bought in the last 30 days", "Ji et al. 2020"),
    ModelSpec("segment", fit_segment, "popularity within risk level and segment", "Pazzani 1999"),
    ModelSpec("recent-segment", fit_recent_segment, "recent popularity by segment", "Ji et al. 2020", frozen=False),
    ModelSpec("content", fit_content, "attributes shared with what is held", "Lops et al. 2011", scores_unheld=True),
    ModelSpec("item-knn", fit_item_knn, "shrunk cosine neighbours of what is held", "Deshpande and Karypis 2004"),
    ModelSpec("user-knn", fit_user_knn, "what investors with similar positions have", "Herlocker et al. 1999"),
    ModelSpec("rp3beta", fit_rp3beta, "random walks of three steps", "Paudel et al. 2016"),
    ModelSpec("ease", fit_ease, "linear item-to-item weights, penalty 200", "Steck 2019"),
    ModelSpec("ease-2000", fit_strong_ease, "linear item-to-item weights, penalty 2000", "Steck 2019"),
    ModelSpec("ease-weekly", fit_weekly_ease, "EASE fitted again every week", "Steck 2019", frozen=False),
    ModelSpec("slim", fit_slim, "sparse non-negative item-to-item weights", "Ning and Karypis 2011"),
    ModelSpec("ials", fit_als, "matrix factorisation", "Hu et al. 2008", seeded=True, needs="implicit"),
    ModelSpec("lightgcn", fit_lightgcn, "embeddings smoothed over the graph", "He et al. 2020", seeded=True),
    ModelSpec(
        "two-tower",
        fit_two_towers,
        "an investor tower and asset towers, trained in torch",
        "Yi et al. 2019",
        seeded=True,
        scores_unheld=True,
        baseline=False,
        rolling=False,
        needs="talib",
        fit_priced=fit_two_towers,
    ),
    ModelSpec("lambdamart", fit_lambdamart, "boosted trees over 30 features", "Burges 2010", True, needs="lightgbm"),
    *(
        ModelSpec(name, fit, about, paper, seeded=True, frozen=False, rolling=False)
        for name, fit, about, paper in (
            ("joint", fit_joint, "the pair model that meta-learners adapt, never adapted", "Cheng et al. 2016"),
            ("maml", fit_maml, "a start that two gradient steps fit to an investor", "Finn et al. 2017"),
            ("reptile", fit_reptile, "a start near where investors' descents end", "Nichol et al. 2018"),
            ("matching", fit_matching, "attention to an investor's first positions", "Vinyals et al. 2016"),
            ("prototypical", fit_prototypical, "nearness to the mean of first positions", "Snell et al. 2017"),
            ("lstm-learner", fit_lstm_learner, "an LSTM whose cell is the weights", "Ravi and Larochelle 2017"),
            ("learned-optimiser", fit_learned_optimiser, "an LSTM that says each step", "Andrychowicz et al. 2016"),
        )
    ),
)

MODELS: Final = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Model name to its `ModelSpec`, baselines in the order of their families."""


def choose_models(names: str, *, rolling: bool = False) -> tuple[ModelSpec, ...]:
    """The models of a comma-separated list, or all that take part in the kind of evaluation and can be imported.

    Raises:
        UsageError: there is no model of that name, or the package that it needs is not installed.

    >>> [spec.name for spec in choose_models("popularity,ease")]
    ['popularity', 'ease']
    """
    if names == "all":
        part = (spec for spec in MODELS.values() if (spec.rolling if rolling else spec.frozen))
        return tuple(spec for spec in part if spec.available)
    unknown = [name for name in names.split(",") if name not in MODELS]
    if unknown:
        raise UsageError(f"no model {unknown[0]!r}: choose all, or from {', '.join(MODELS)}")
    chosen = tuple(MODELS[name] for name in dict.fromkeys(names.split(",")))
    for spec in chosen:
        if not spec.available:
            raise UsageError(f"model {spec.name} needs {spec.needs}: pip install 'pathfolio[baselines]'")
    return chosen
