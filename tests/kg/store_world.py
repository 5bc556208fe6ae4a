"""A market of four investors and seven assets, small enough to answer for by hand, and the servers to load it into."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pathfolio.kg.compile import compile_graph
from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.schema import UNDATED
from pathfolio.kg.store.address import StoreAddress, address_from_environment
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.meta import stored_graph
from pathfolio.kg.store.server import EmbeddedServer, ServerOptions
from tests import ROOT

DAY = date(2024, 12, 31)
SERVERS = ("embedded", pytest.param("neo4j", marks=pytest.mark.neo4j))

ASSETS = {"A": "Stock", "B": "Stock", "C": "Stock", "D": "Stock", "F": "Fund", "G": "Fund", "H": "Fund"}
NAMES = {"A": "Alpha", "B": "Beta", "C": "Gamma", "D": "Delta", "F": "Fund F", "G": "Fund G", "H": "Fund of funds"}
USERS = {"U1": "Ann", "U2": "Bob", "U3": "Cem", "U4": ""}

# head, relation, tail, weight, value, qualifier, as_of, known_at (None: as_of)
POSITIONS: list[tuple[Any, ...]] = [
    ("U1", "HOLDS", "A", 0.5, None, "", "2024-01-31", None),
    ("U1", "HOLDS", "F", 0.3, None, "", "2024-01-31", None),
    ("U1", "HOLDS", "B", 0.2, None, "", "2024-01-31", None),
    ("U1", "HOLDS", "A", 0.4, None, "", "2024-09-30", "2024-10-15"),
    ("U1", "HOLDS", "F", 0.4, None, "", "2024-09-30", "2024-10-15"),
    ("U1", "HOLDS", "C", 0.2, None, "", "2024-09-30", "2024-10-15"),
    ("U1", "HELD", "B", None, 0.0, "", "2024-09-30", "2024-10-15"),
    ("U2", "HOLDS", "A", None, 10.0, "transaction", "2024-03-31", None),
    ("U2", "HOLDS", "G", None, 5.0, "transaction", "2024-03-31", None),
    ("U3", "HOLDS", "H", 0.6, None, "", "2024-05-31", None),
    ("U3", "HOLDS", "C", 0.4, None, "", "2024-05-31", None),
    ("U4", "HOLDS", "A", 0.9, None, "", "2024-11-30", None),
    ("U4", "HOLDS", "D", 0.1, None, "", "2024-11-30", None),
]
FUNDS: list[tuple[Any, ...]] = [
    ("F", "INVESTS_IN", "A", 0.6, None, "", "2024-03-31", "2024-04-10"),
    ("F", "INVESTS_IN", "B", 0.4, None, "", "2024-03-31", "2024-04-10"),
    ("F", "INVESTS_IN", "A", 0.5, None, "", "2024-09-30", "2024-10-10"),
    ("F", "INVESTS_IN", "C", 0.5, None, "", "2024-09-30", "2024-10-10"),
    ("G", "INVESTS_IN", "A", 0.2, None, "", "2024-06-30", None),
    ("G", "INVESTS_IN", "C", 0.3, None, "", "2024-06-30", None),
    ("G", "INVESTS_IN", "D", 0.5, None, "", "2024-06-30", None),
    ("H", "INVESTS_IN", "F", 0.5, None, "", "2024-06-30", None),
    ("H", "INVESTS_IN", "A", 0.5, None, "", "2024-06-30", None),
]
ATTRIBUTES: list[tuple[Any, ...]] = [
    ("A", "IN_INDUSTRY", "chips", None, None, "", None, None),
    ("B", "IN_INDUSTRY", "chips", None, None, "", None, None),
    ("C", "IN_INDUSTRY", "banks", None, None, "", None, None),
    ("A", "IN_SECTOR", "tech", None, None, "", None, None),
    ("B", "IN_SECTOR", "tech", None, None, "", None, None),
    ("C", "IN_SECTOR", "finance", None, None, "", None, None),
    ("A", "ISSUED_BY", "Acme", None, None, "", None, None),
    ("F", "ISSUED_BY", "House", None, None, "", None, None),
    ("U1", "HAS_RISK", "high", None, None, "", "2024-01-01", None),
    ("U1", "HAS_RISK", "low", None, None, "predicted", "2024-12-01", None),
    ("U2", "HAS_RISK", "low", None, None, "", "2024-01-01", None),
    ("A", "HAS_FACT", "pe", None, 20.0, "times", "2023-12-31", "2024-02-01"),
    ("A", "HAS_FACT", "pe", None, 25.0, "times", "2024-06-30", "2024-08-01"),
    ("A", "HAS_FACT", "yield", None, 0.01, "fraction", "2024-06-30", None),
    ("C", "HAS_FACT", "pe", None, 8.0, "times", "2023-06-30", None),
    ("A", "RATED_BY", "Broker 1", None, 120.0, "buy", "2024-05-01", None),
    ("A", "RATED_BY", "Broker 1", None, 110.0, "hold", "2024-11-01", None),
    ("A", "RATED_BY", "Broker 2", None, 80.0, "sell", "2024-06-01", None),
]
TAILS = {"IN_INDUSTRY": "Industry", "IN_SECTOR": "Sector", "ISSUED_BY": "Issuer", "HAS_RISK": "RiskLevel"}
TAILS |= {"HAS_FACT": "Metric", "RATED_BY": "AnalystFirm"}


def day_number(text: str | None) -> int:
    return to_days(UNDATED if text is None else date.fromisoformat(text))


def edge_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "relation": [row[1] for row in rows],
            "head_kind": [ASSETS.get(row[0], "User") for row in rows],
            "head_id": [row[0] for row in rows],
            "tail_kind": [ASSETS.get(row[2]) or TAILS[row[1]] for row in rows],
            "tail_id": [row[2] for row in rows],
            "weight": pd.Series([row[3] for row in rows], dtype="float64"),
            "value": pd.Series([row[4] for row in rows], dtype="float64"),
            "qualifier": [row[5] for row in rows],
            "source": ["positions" if row[0] in USERS else "facts & figures" for row in rows],
            "as_of": [day_number(row[6]) for row in rows],
            "known_at": [day_number(row[7] or row[6]) for row in rows],
        }
    )


def node_frame() -> pd.DataFrame:
    ids = [*USERS, *ASSETS]
    return pd.DataFrame(
        {
            "kind": ["User"] * len(USERS) + list(ASSETS.values()),
            "id": ids,
            "name": [USERS.get(key, NAMES.get(key, "")) for key in ids],
            "name_local": ["阿爾法" if key == "A" else "" for key in ids],
            "ticker": [key if key in "ABCD" else "" for key in ids],
            "birth_year": [1980.0 if key == "U1" else None for key in ids],
            "listed": [to_days(date(2001, 2, 3)) if key == "B" else None for key in ids],
            "known_at": [to_days(UNDATED)] * len(ids),
        }
    )


@cache
def world() -> KnowledgeGraph:
    """The market as of the end of 2024."""
    return compile_graph(node_frame(), edge_frame(POSITIONS + FUNDS + ATTRIBUTES), DAY, name="tiny market")


@cache
def embedded_server() -> EmbeddedServer:
    """One embedded server for all tests of this run."""
    folder = tempfile.TemporaryDirectory(prefix="pathfolio-store-")
    server = EmbeddedServer(Path(folder.name) / "store", ServerOptions(heap="768m"))
    atexit.register(folder.cleanup)
    atexit.register(server.stop)
    return server


def address_of(server: str, *, reader: bool = False) -> StoreAddress:
    """Where a server of `SERVERS` is; skips where it is Neo4j and none runs."""
    if server == "embedded":
        embedded = embedded_server()
        embedded.revive()
        return embedded.reader() if reader else embedded.writer()
    if not os.environ.get("PATHFOLIO_NEO4J_URI"):
        pytest.skip("no Neo4j: set PATHFOLIO_NEO4J_URI, or run tests/neo4j/start.sh")
    return address_from_environment()


class OwnNeo4j:
    """A Neo4j of a test's own, started and ended by the scripts beside; what it holds stays when it is killed."""

    scripts = ROOT / "tests" / "neo4j"

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet; `folder` may have in `home` what was imported there."""
        self._folder = folder
        self._environment = os.environ | {"PATHFOLIO_NEO4J_FOLDER": str(folder), "PYTHON": sys.executable}
        self._environment["PATHFOLIO_NEO4J_KEEP"] = "1"

    def start(self) -> StoreAddress:
        """Start it, again where it was killed."""
        started = subprocess.run(
            [self.scripts / "start.sh"], env=self._environment, capture_output=True, text=True, check=False
        )
        assert started.returncode == 0, started.stderr
        told = dict(line.removeprefix("export ").split("=", 1) for line in started.stdout.splitlines())
        return address_from_environment(environment=told)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        pid = (self._folder / "pid").read_text(encoding="ascii").strip()
        os.kill(int(pid), signal.SIGKILL)
        while (
            b"Start.java" in subprocess.run(["ps", "-o", "args=", "-p", pid], capture_output=True, check=False).stdout
        ):
            time.sleep(0.05)

    def stop(self) -> None:
        subprocess.run([self.scripts / "stop.sh"], env=self._environment, check=True)


def empty(store: Store) -> None:
    """Remove everything, and indexes of vectors."""
    while _holds_something(store):  # what a deletion says of itself is not always so
        store.write("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n")
    if store.dialect == "neo4j":
        store.define("DROP INDEX pathfolio_asset_embedding IF EXISTS")


def _holds_something(store: Store) -> bool:
    return stored_graph(store) is not None or bool(store.read("MATCH (n) RETURN count(n)")[0][0])
