"""What-if lists: a changed investor's ten explained assets, without training, against one matrix product."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pathfolio.explain.what_if_list import WhatIfDesk
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.span import Position
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.benchmarks.measured import Measured

RUNS = 60


def what_if(build: Build) -> list[Measured]:
    """Each run follows one asset for one investor, both drawn; wall and processor time, median and 95th percentile."""
    desk = WhatIfDesk(build, Gate.over(build.graph, rules_for(build.graph), build.prices))
    questions = list(_questions(build))
    for before, asked in questions[:5]:
        desk.answer(asked, before, 10, None, (DEFAULT,))
    wall, processor = [], []
    for before, asked in questions[5:]:
        start = time.perf_counter(), time.process_time()
        desk.answer(asked, before, 10, None, (DEFAULT,))
        wall.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    figures = []
    for name, took in (("", wall), (", processor", processor)):
        middle, late = np.quantile(took, [0.5, 0.95]) * 1e3
        figures += [Measured(f"what-if list{name}, median", middle, "ms", "the aim", 50.0)]
        figures += [Measured(f"what-if list{name}, 95th percentile", late, "ms")]
    return figures


def _questions(build: Build) -> Iterator[tuple[AssumedInvestor, AssumedInvestor]]:
    rng = np.random.default_rng(0)
    scorer = build.scorer
    some = np.flatnonzero(np.diff(scorer.interactions.ever.indptr))
    for user in rng.choice(some, RUNS + 5).tolist():
        before = AssumedInvestor.of(scorer, user)
        asset = Position(int(rng.integers(len(build.graph.assets))))
        yield before, replace(before, followed=frozenset({asset}))
