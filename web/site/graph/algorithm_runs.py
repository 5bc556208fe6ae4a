"""`AlgorithmRuns`: algorithms for the site, one at a time and within bounds, on the graph without people.

A run takes seconds of computing, so it has a process of its own: pages do not wait for it, and it can be ended.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pathfolio.kg.algorithms.protocol import Algorithm
from pathfolio.kg.algorithms.run import algorithm_of
from pathfolio.kg.algorithms.worker import AlgorithmRun
from pathfolio.kg.graph_folder import GraphFolder
from pathfolio.kg.store.query import QueryResult
from pathfolio.recommender.build import Build

log = logging.getLogger("pathfolio.graph")

SECONDS: Final = 30.0
ROWS: Final = 2_000
_PATIENCE: Final = 10.0
"""Seconds that a run waits for the one before it."""

_KEPT: Final = 16
"""Tables that are remembered: a page's downloads ask for what it shows."""


@dataclass(frozen=True)
class AlgorithmOutcome:
    """What became of a run: a result, a problem in words, or the name of the site's text that says why it was stopped.

    Attributes:
        status: HTTP's.
    """

    result: QueryResult | None = None
    problem: str = ""
    stopped: str | None = None
    status: int = 200


class AlgorithmRuns:
    """Runs algorithms on the snapshot of a build, or of a graph alone; safe to use from several threads."""

    def __init__(self, source: Build | GraphFolder, seconds: float = SECONDS) -> None:
        """`seconds` is how long one may run."""
        self.seconds = seconds
        self._source = source
        self._one = threading.Lock()
        self._known: OrderedDict[Algorithm, QueryResult] = OrderedDict()

    def run(self, name: str, given: Mapping[str, str]) -> AlgorithmOutcome:
        """The table of an algorithm with its options as texts.

        Raises:
            UsageError: there is no such algorithm or option, or a value is not as it should be.
        """
        algorithm = algorithm_of(name, given)
        if not self._one.acquire(timeout=_PATIENCE):
            return AlgorithmOutcome(stopped="algorithm_busy", status=503)
        try:
            known = self._known.get(algorithm)
            outcome = self._computed(name, given) if known is None else AlgorithmOutcome(known)
            if outcome.result is not None:
                self._known[algorithm] = outcome.result
                self._known.move_to_end(algorithm)
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        finally:
            self._one.release()
        return outcome

    def _computed(self, name: str, given: Mapping[str, str]) -> AlgorithmOutcome:
        run = AlgorithmRun(
            str(self._source.folder.absolute()), self._source.graph.content_hash, name, dict(given), ROWS
        )
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pathfolio.kg.algorithms.worker"],
                input=run.to_json(),
                capture_output=True,
                text=True,
                timeout=self.seconds,
                env=os.environ | paths,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return AlgorithmOutcome(stopped="algorithm_too_long", status=503)
        if done.returncode:
            log.error("an algorithm ended without a table: %s", done.stderr.strip().rpartition("\n")[2])
            return AlgorithmOutcome(stopped="algorithm_too_large", status=503)
        found = json.loads(done.stdout)
        if "problem" in found:
            return AlgorithmOutcome(problem=found["problem"], status=400)
        rows = tuple(tuple(row) for row in found["rows"])
        return AlgorithmOutcome(QueryResult(tuple(found["columns"]), rows, found["cut"], found["seconds"]))
