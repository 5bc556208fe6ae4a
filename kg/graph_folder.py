"""A graph alone, as a folder: the snapshot of a day without anything learned, sealed by hashes as a build is.

    manifest.json    what it is, what made it, SHA-256 of every sealed file, graph_hash and folder_hash
    graph/           the snapshot (`pathfolio.kg.storage`)
    report.json      rows read and set aside, counts, seconds and memory by stage (not sealed: it has timings)
    rejected.csv     rows that were set aside, where there are any

The same data and versions give the same sealed bytes. What reads `graph/` alone, as the graph store does, reads a
build and a graph alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.seal import MANIFEST, changed_files, sealed, versions_of, write_json
from pathfolio.kg.storage import load_graph, save_graph
from pathfolio.kg.swap import replace_folder

KIND: Final = "graph"
"""What the manifest of a graph says under `kind`; that of a build says nothing there."""

FORMAT: Final = 1
_LIBRARIES: Final = ("pathfolio", "numpy", "pandas", "pyarrow", "empyrical-reloaded")


class GraphManifest(msgspec.Struct, frozen=True):
    """What manifest.json says.

    Attributes:
        folder_hash: SHA-256 over all else that it says.
        graph_hash: the snapshot's content hash.
        versions: of the libraries that made it.
        files: name of each sealed file to its SHA-256.
    """

    folder_hash: str
    kind: Literal["graph"]
    format: int
    name: str
    is_sample: bool
    as_of: date
    graph_hash: str
    versions: dict[str, str | None]
    files: dict[str, str]


@dataclass(frozen=True)
class GraphFolder:
    """A loaded graph folder; the snapshot is read when it is first asked for."""

    folder: Path
    manifest: GraphManifest = field(repr=False)

    @property
    def as_of(self) -> date:
        """The date of the snapshot."""
        return self.manifest.as_of

    @property
    def is_sample(self) -> bool:
        """Whether the data are generated; what shows them must say so."""
        return self.manifest.is_sample

    @cached_property
    def graph(self) -> KnowledgeGraph:
        """The snapshot, unless another one has taken the folder's place since this one was opened."""
        try:
            return load_graph(self.folder / "graph")
        finally:
            if load_graph_folder(self.folder).manifest != self.manifest:
                raise DataError(f"{self.folder}: another graph took its place while this one was read: start again")


def holds_graph_alone(folder: Path) -> bool:
    """Whether a graph alone is there: neither a build, nor nothing, nor something else."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    except (OSError, msgspec.DecodeError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def load_graph_folder(folder: str | Path, *, verify: bool = False) -> GraphFolder:
    """Open a graph folder.

    Args:
        verify: hash every sealed file again.

    Raises:
        DataError: no graph folder, one of another format, or (with `verify`) one that was changed.
    """
    folder = Path(folder)
    if not holds_graph_alone(folder):
        raise DataError(f"{folder}: no graph alone here: make one with `pathfolio graph build`")
    text = (folder / MANIFEST).read_bytes()
    try:
        manifest = msgspec.json.decode(text, type=GraphManifest)
    except msgspec.ValidationError as error:
        raise DataError(f"{folder / MANIFEST}: {error}: make the graph again") from None
    if manifest.format != FORMAT:
        raise DataError(f"{folder}: a graph of format {manifest.format}, not {FORMAT}: make it again")
    for name, problem in changed_files(folder, msgspec.json.decode(text), "folder_hash") if verify else ():
        raise DataError(f"{folder / name}: {problem} since the graph was sealed: restore it or make it again")
    return GraphFolder(folder, manifest)


def check_place_of_graph(out: Path) -> None:
    """Raise UsageError where `out` is something other than a graph alone or an empty folder.

    A build is not replaced: it took training, and has the same graph.
    """
    if not out.exists() or holds_graph_alone(out) or (out.is_dir() and not any(out.iterdir())):
        return
    what = "a build, which took training" if (out / "graph" / "graph.json").exists() else "no graph"
    raise UsageError(f"{out}: exists and is {what}: name another folder with --out")


def write_graph_folder(
    graph: KnowledgeGraph,
    out: Path,
    progress: Progress,
    report: Mapping[str, Any],
    write_rejected: Callable[[Path], None] | None = None,
) -> GraphFolder:
    """Put `graph` at `out` in one rename; a graph that is there stays until the new one is done.

    Args:
        report: what to put into report.json besides the counts and stages.
        write_rejected: writes the rows that were set aside into a file; None where there are none.

    Raises:
        UsageError: `out` is there and no graph alone, or no asset was known on the graph's day.
    """
    check_place_of_graph(out)
    if not len(graph.assets):
        raise UsageError(f"no asset was known on {graph.as_of}: take a later --as-of")
    with replace_folder(out) as aside:
        with progress.stage("seal") as details:
            save_graph(graph, aside / "graph")
            manifest = sealed(_about(graph), aside, "folder_hash")
            write_json(aside / MANIFEST, manifest)
            details.append(f"graph {graph.content_hash[:12]}")
        stages = [asdict(stage) for stage in progress.stages]
        write_json(aside / "report.json", {**report, "counts": graph.counts(), "stages": stages})
        if write_rejected is not None:
            write_rejected(aside / "rejected.csv")
    return load_graph_folder(out)


def _about(graph: KnowledgeGraph) -> dict[str, Any]:
    return {
        "kind": KIND,
        "format": FORMAT,
        "name": graph.name,
        "is_sample": graph.is_sample,
        "as_of": graph.as_of.isoformat(),
        "graph_hash": graph.content_hash,
        "versions": versions_of(*_LIBRARIES),
    }
