"""The sample market for the tests of the two towers, read and trained once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.tables import Tables
from pathfolio.recommender.towers.inputs import TowerInputs, Vocabulary, tower_inputs
from pathfolio.recommender.towers.model import TwoTowers, fit_two_towers
from pathfolio.recommender.towers.options import TowerOptions

DAY = date(2026, 3, 31)
FAST = TowerOptions(dimension=16, hidden=24, memory=8, batch=64, popular=16, even=16, max_epochs=3, patience=2)


@dataclass(frozen=True)
class TowersWorld:
    """A market folder up to `DAY`: its snapshot, the prices known then, trained towers, and what they read."""

    tables: Tables
    graph: KnowledgeGraph
    known: pd.DataFrame
    trained: TwoTowers
    read: tuple[Vocabulary, TowerInputs]


def towers_world(folder: Path) -> TowersWorld:
    """The world of a folder; training it takes a while."""
    tables = read_folder(folder)
    graph, known = assemble_graph(tables, DAY), tables.prices[tables.prices["date"] <= pd.Timestamp(DAY)]
    trained = fit_two_towers(graph, 0, known, FAST)
    inputs = tower_inputs(graph, trained.parts.vocabulary, trained.parts.vectors, known)
    return TowersWorld(tables, graph, known, trained, (trained.parts.vocabulary, inputs))
