"""Where a graph comes from: a data folder or the graph store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder, read_report, write_rejected
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.tables import Tables
from pathfolio.recommender.build import Beside, load_build


@dataclass(frozen=True)
class Source:
    """A snapshot, and what came with it."""

    graph: KnowledgeGraph
    prices: pd.DataFrame | None
    report: Mapping[str, Any]
    tables: Tables | None = None
    signals: pd.DataFrame | None = None

    @property
    def write_rejected(self) -> Callable[[Path], None] | None:
        """Writes the rows that were set aside into a file; None where there are none."""
        if self.tables is None or not len(self.tables.rejected):
            return None
        return partial(write_rejected, self.tables)

    def beside(self, **also: object) -> Beside:
        """What goes into a build beside the snapshot; `also` into its report."""
        return Beside(self.prices, {**self.report, **also}, self.write_rejected, signals=self.signals)

    def set_aside(self, made: Path) -> str:
        """A line that says how many rows were set aside, and where they lie in what was made; empty for none."""
        count = 0 if self.tables is None else len(self.tables.rejected)
        return f"{count:,} row{'' if count == 1 else 's'} set aside: {made / 'rejected.csv'}\n" if count else ""


def from_folder(
    folder: Path,
    as_of: date,
    progress: Progress,
    further: Callable[[Tables], Tables] | None = None,
    signals: Sequence[str] = (),
) -> Source:
    """The snapshot of a data folder.

    Args:
        further: adds rows that lie elsewhere.
        signals: names of those whose facts are put among the folder's (`pathfolio.recommender.signals.into`).

    Raises:
        DataError: the folder is refused.
    """
    with progress.stage("read tables") as details:
        tables = read_folder(folder)
        details.extend([f"{sum(tables.rows_read.values()):,} rows", f"{len(tables.rejected):,} set aside"])
        if further is not None:
            tables = further(tables)
    return from_tables(tables, as_of, progress, signals)


def from_tables(tables: Tables, as_of: date, progress: Progress, signals: Sequence[str] = ()) -> Source:
    """The snapshot of tables that were read already."""
    history = None
    if signals:
        from pathfolio.recommender.signals.into import with_signals

        with progress.stage("signals") as details:
            tables, history = with_signals(tables, signals, as_of)
            details.append(", ".join(signals))
    with progress.stage("assemble graph") as details:
        graph = assemble_graph(tables, as_of)
        details.extend(_size(graph))
    source = "folder" if tables.origin else "tables in memory"
    return Source(graph, tables.prices, {"source": source, **read_report(tables)}, tables, history)


def from_store(uri: str, as_of: date, progress: Progress) -> Source:
    """The snapshot that a graph store holds.

    Raises:
        StoreError: no store there, or it holds no pathfolio graph.
    """
    from pathfolio.kg.store import read_graph

    with progress.stage("read the graph store") as details:
        graph = read_graph(uri, as_of)
        details.extend(_size(graph))
    return Source(graph, None, {"source": "graph store"})


def opened(folder: Path) -> tuple[KnowledgeGraph, str]:
    """The snapshot of a build, or of a graph alone, and the build's hash, or the graph's.

    Raises:
        DataError: the folder holds neither.
    """
    from pathfolio.kg.graph_folder import holds_graph_alone, load_graph_folder

    if holds_graph_alone(folder):
        alone = load_graph_folder(folder)
        return alone.graph, alone.manifest.graph_hash
    build = load_build(folder)
    return build.graph, build.build_hash


def _size(graph: KnowledgeGraph) -> list[str]:
    return [f"{len(graph):,} nodes", f"{len(graph.edges):,} dated relations, {int(graph.current.sum()):,} current"]
