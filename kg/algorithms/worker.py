"""One run of an algorithm in a process of its own: `python -m pathfolio.kg.algorithms.worker`.

What is to be done comes in as JSON on standard input, the table or the problem goes out as JSON on standard output.
The site starts it and ends it when its time is up; it has its own bound of memory.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pathfolio.kg.algorithms.run import algorithm_of, run_algorithm
from pathfolio.kg.errors import DataError, PathfolioError
from pathfolio.kg.storage import load_graph

MOST_MEMORY: Final = 4 * 2**30
"""Bytes of address space."""


@dataclass(frozen=True)
class AlgorithmRun:
    """What is to be done.

    Attributes:
        folder: of the build or the graph.
        content_hash: of its snapshot; another one that took its place is not taken for it.
        given: the options as texts.
        rows: how many are listed at most.
    """

    folder: str
    content_hash: str
    name: str
    given: dict[str, str]
    rows: int

    def to_json(self) -> str:
        """As standard input has it."""
        return json.dumps(asdict(self))


def done(run: AlgorithmRun) -> dict[str, Any]:
    """columns, rows, cut and seconds, or the problem."""
    try:
        graph = load_graph(Path(run.folder) / "graph")
        if graph.content_hash != run.content_hash:
            raise DataError("another graph took the place of the one that is served: start the site again")
        found = run_algorithm(graph, algorithm_of(run.name, run.given), run.rows)
    except PathfolioError as error:
        return {"problem": str(error)}
    return {"columns": found.columns, "rows": found.rows, "cut": found.cut, "seconds": found.seconds}


def main() -> None:
    """Do what standard input says."""
    try:
        import resource
    except ImportError:  # Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    json.dump(done(AlgorithmRun(**json.load(sys.stdin))), sys.stdout)


if __name__ == "__main__":
    main()
