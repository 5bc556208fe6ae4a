"""What the tests of the two towers share: one market, read and trained once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.tables import Tables
from pathfolio.recommender.towers.inputs import TowerInputs, Vocabulary
from pathfolio.recommender.towers.model import TwoTowers
from tests.recommender.towers.world import TowersWorld, towers_world


@pytest.fixture(scope="session")
def world(sample_folder: Path) -> TowersWorld:
    return towers_world(sample_folder)


@pytest.fixture(scope="session")
def tables(world: TowersWorld) -> Tables:
    return world.tables


@pytest.fixture(scope="session")
def graph(world: TowersWorld) -> KnowledgeGraph:
    return world.graph


@pytest.fixture(scope="session")
def known(world: TowersWorld) -> pd.DataFrame:
    """Prices up to the day of the snapshot."""
    return world.known


@pytest.fixture(scope="session")
def read(world: TowersWorld) -> tuple[Vocabulary, TowerInputs]:
    return world.read


@pytest.fixture(scope="session")
def trained(world: TowersWorld) -> TwoTowers:
    return world.trained
