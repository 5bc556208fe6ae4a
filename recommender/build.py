"""A build: the folder that holds a snapshot and everything learned from it, sealed by hashes.

    manifest.json    what it is, what made it, the day that its weights are of, SHA-256 of every sealed file,
                     graph_hash and build_hash
    graph/           the snapshot (`pathfolio.kg.storage`)
    vectors/         the KG embedding (`pathfolio.embeddings.vectors`)
    attention.npz    weights of the graph attention network (`pathfolio.recommender.gat.attention`)
    co_investment.npy  EASE's weights
    towers/          the two towers, where they were asked for (`pathfolio.recommender.towers.model`)
    own/             what own channels are made of, where there are any (`pathfolio.recommender.channels.own`)
    placed_towers.npz  the two towers over the snapshot (`pathfolio.recommender.towers.placed`)
    prices.parquet   prices known on the snapshot's date, where the source has any
    signals.parquet  what signals told until then and what came, where they were asked for
    report.json      rows read and set aside, counts, metrics, seconds and memory by stage (not sealed: it has timings)
    rejected.csv     rows that were set aside, where there are any

The same data, seed and versions give the same sealed bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.graph_folder import KIND
from pathfolio.kg.progress import Progress
from pathfolio.kg.seal import changed_files, sealed, versions_of, write_json
from pathfolio.kg.storage import load_graph, save_graph
from pathfolio.kg.swap import replace_folder
from pathfolio.recommender.channels.own import OwnChannel, OwnVectors, load_own, own_channels, save_own
from pathfolio.recommender.gat.attention import GraphAttention
from pathfolio.recommender.score_inputs import LearnedParts, ScoreOptions
from pathfolio.recommender.scorer import Scorer, assemble_scorer
from pathfolio.recommender.towers.model import TowerParts
from pathfolio.recommender.towers.placed import PlacedTowers
from pathfolio.recommender.training import TrainingOptions, learn_options, train_parts

Part = TypeVar("Part")

FORMAT: Final = 3
"""3: scores are made of groups of at least ten (`pathfolio.recommender.groups`); those of format 2 told of smaller
ones.
"""

_LIBRARIES: Final = ("pathfolio", "numpy", "scipy", "pandas", "pyarrow", "empyrical-reloaded", "torch", "pykeen", "dgl")


@dataclass(frozen=True)
class BuildOptions:
    """How to build.

    Attributes:
        training: how to train the learned parts.
        score: the weights of the channels; demand's powers are learned from them (`learn_options`).
    """

    training: TrainingOptions = field(default_factory=TrainingOptions)
    score: ScoreOptions = field(default_factory=ScoreOptions)


@dataclass(frozen=True)
class Beside:
    """What comes with a snapshot and goes into its build.

    Attributes:
        prices: the source's; those after the snapshot's date are left out.
        report: what to put into report.json besides the counts, metrics and stages.
        write_rejected: writes the rows that were set aside into a file; None where there are none.
        vectors, channels: own vectors and channels, which are served with the shipped ones.
        signals: the history of signals whose facts are in the snapshot (`pathfolio.recommender.signals.into.HISTORY`).
    """

    prices: pd.DataFrame | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    write_rejected: Callable[[Path], None] | None = None
    vectors: OwnVectors | None = None
    channels: Sequence[OwnChannel] = ()
    signals: pd.DataFrame | None = None


@dataclass(frozen=True)
class Build:
    """A loaded build; its parts are read when they are first asked for."""

    folder: Path
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def build_hash(self) -> str:
        """SHA-256 over the hashes of all sealed files."""
        return str(self.manifest["build_hash"])

    @property
    def as_of(self) -> date:
        """The date of the snapshot."""
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def is_sample(self) -> bool:
        """Whether the data are generated; what shows them must say so."""
        return bool(self.manifest["is_sample"])

    @cached_property
    def graph(self) -> KnowledgeGraph:
        """The snapshot."""
        return self._read(lambda folder: load_graph(folder / "graph"))

    @cached_property
    def vectors(self) -> EntityVectors:
        """The KG embedding's vectors."""
        return self._read(lambda folder: EntityVectors.load(folder / "vectors"))

    @cached_property
    def attention(self) -> GraphAttention:
        """The trained graph attention network."""
        return self._read(lambda folder: GraphAttention.load(folder / "attention.npz"))

    @property
    def has_towers(self) -> bool:
        """Whether the two towers are part of the score."""
        return bool(self.manifest.get("towers", False))

    @cached_property
    def learned(self) -> LearnedParts:
        """All that was trained."""
        prices = self.prices
        towers = self._read(lambda folder: TowerParts.load(folder / "towers", prices)) if self.has_towers else None
        own = self._read(lambda folder: load_own(self.manifest.get("own", {}), folder / "own"))
        return LearnedParts(self.vectors, self.attention, towers, own)

    @cached_property
    def scorer(self) -> Scorer:
        """The served score."""
        options = ScoreOptions.from_json(self.manifest["score"])
        weights = self._read(lambda folder: np.load(folder / "co_investment.npy"))
        placed = self._read(lambda folder: PlacedTowers.load(folder / "placed_towers.npz")) if self.has_towers else None
        return assemble_scorer(self.graph, self.learned, options, weights, placed)

    @cached_property
    def prices(self) -> pd.DataFrame | None:
        """asset_id, date, close, … known on the snapshot's date; None where the source has no prices."""
        file = "prices.parquet"
        return self._read(lambda folder: pd.read_parquet(folder / file) if (folder / file).exists() else None)

    @cached_property
    def signals(self) -> pd.DataFrame | None:
        """What signals told of each asset, and what came; None where none were asked for."""
        file = "signals.parquet"
        return self._read(lambda folder: pd.read_parquet(folder / file) if (folder / file).exists() else None)

    @property
    def signal_names(self) -> tuple[str, ...]:
        """The signals whose facts are in the snapshot."""
        return tuple(self.manifest.get("signals", ()))

    @cached_property
    def report(self) -> dict[str, Any]:
        """What was read, counted, measured and timed when the build was made."""
        loaded: dict[str, Any] = self._read(lambda folder: json.loads((folder / "report.json").read_text("utf-8")))
        return loaded

    def _read(self, load: Callable[[Path], Part]) -> Part:
        """What `load` reads, unless another build has taken the folder's place since this one was opened."""
        try:
            return load(self.folder)
        finally:
            self.check_in_place()

    def check_in_place(self) -> None:
        """Raise DataError where the folder holds another build by now, whose parts would be taken for this one's."""
        if load_build(self.folder).build_hash != self.build_hash:
            raise DataError(f"{self.folder}: another build took its place while this one was read: start again")


def has_this_format(folder: Path) -> bool:
    """Whether the build there is one that this version computes with."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return bool(manifest.get("format") == FORMAT)


def load_build(folder: str | Path, *, verify: bool = False) -> Build:
    """Open a build.

    Args:
        verify: hash every sealed file again.

    Raises:
        DataError: no build, a graph alone, one of another format, or (with `verify`) one that was changed.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{folder}: no build here (no manifest.json): make one with `pathfolio build`") from None
    except ValueError as error:
        raise DataError(f"{folder / 'manifest.json'}: not JSON ({error}): build again") from None
    if manifest.get("kind") == KIND:
        raise DataError(
            f"{folder}: a graph alone, without vectors and scores: make a build of the same data with `pathfolio build`"
        )
    if manifest.get("format") != FORMAT:
        raise DataError(
            f"{folder}: a build of format {manifest.get('format')}, not {FORMAT}: build again "
            "(what was recorded with it is replayed by the version that made it)"
        )
    if verify:
        _verify(folder, manifest)
    return Build(folder, manifest)


def make_build(
    graph: KnowledgeGraph,
    out: Path,
    options: BuildOptions,
    progress: Progress,
    beside: Beside,
) -> Build:
    """Train everything on `graph` and put the build at `out`; a build that is there stays until the new one is done.

    Raises:
        UsageError: `out` is there and no build, the snapshot has no investors or assets, or an own channel is none.
        DataError: no own vector is of a node of the snapshot.
    """
    check_replaceable(out)
    if beside.vectors is not None:
        _tell_unknown(beside.vectors, graph, progress)
    own = own_channels(graph, beside.vectors, beside.channels)
    learned = replace(train_parts(graph, options.training, progress, beside.prices), own=own)
    options = replace(options, score=learn_options(graph, options.score, progress, beside.prices))
    return write_build(graph, learned, out, options, progress, beside)


def _tell_unknown(vectors: OwnVectors, graph: KnowledgeGraph, progress: Progress) -> None:
    with progress.stage("own vectors") as details:
        unknown = vectors.check(graph)
        details += [f"{len(vectors.id):,} ids", f"{len(unknown):,} unknown"]
    if unknown:
        progress.note(f"unknown ids wait for a day that knows them, {unknown[0]!r} first")


def write_build(
    graph: KnowledgeGraph,
    learned: LearnedParts,
    out: Path,
    options: BuildOptions,
    progress: Progress,
    beside: Beside,
) -> Build:
    """Put a build of parts that are already trained at `out` in one rename."""
    check_replaceable(out)
    with replace_folder(out) as aside:
        with progress.stage("seal") as details:
            scorer = assemble_scorer(graph, learned, options.score)
            save_graph(graph, aside / "graph")
            learned.vectors.save(aside / "vectors")
            learned.attention.save(aside / "attention.npz")
            np.save(aside / "co_investment.npy", scorer.co_investment_weights)
            if learned.towers is not None and scorer.placed_towers is not None:
                learned.towers.save(aside / "towers")
                scorer.placed_towers.save(aside / "placed_towers.npz")
            save_own(learned.own, aside / "own")
            _save_prices(beside.prices, graph.as_of, aside / "prices.parquet")
            signals = () if beside.signals is None else tuple(dict.fromkeys(beside.signals["signal"]))
            if beside.signals is not None:
                beside.signals.to_parquet(aside / "signals.parquet", index=False, compression="zstd")
            manifest = _manifest(graph, learned, options, aside, signals)
            write_json(aside / "manifest.json", manifest)
            details.append(f"build {manifest['build_hash'][:12]}")
        write_json(aside / "report.json", {**beside.report, **_report(graph, learned, progress)})
        if beside.write_rejected is not None:
            beside.write_rejected(aside / "rejected.csv")
    return load_build(out)


def check_replaceable(out: Path) -> None:
    """Raise UsageError where `out` exists and is something other than a build or an empty folder."""
    if out.exists() and not (out / "manifest.json").exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out}: exists and is no build: name another folder with --out")


def _save_prices(prices: pd.DataFrame | None, as_of: date, path: Path) -> None:
    if prices is None or prices.empty:
        return
    known = prices[prices["date"] <= pd.Timestamp(as_of)].sort_values(["asset_id", "date"], kind="stable")
    known.dropna(axis=1, how="all").to_parquet(path, index=False, compression="zstd")


def _manifest(
    graph: KnowledgeGraph, learned: LearnedParts, options: BuildOptions, folder: Path, signals: Sequence[str]
) -> dict[str, Any]:
    about = {
        "format": FORMAT,
        "name": graph.name,
        "is_sample": graph.is_sample,
        "as_of": graph.as_of.isoformat(),
        "graph_hash": graph.content_hash,
        "seed": options.training.seed,
        "embedding": options.training.embedding,
        "towers": options.training.towers,
        "trained_as_of": learned.vectors.manifest.as_of.isoformat(),
        "score": options.score.to_json(),
        **({"own": {own.name: own.weight for own in learned.own}} if learned.own else {}),
        **({"signals": list(signals)} if signals else {}),
        "versions": versions_of(*_LIBRARIES),
    }
    return sealed(about, folder, "build_hash")


def _verify(folder: Path, manifest: dict[str, Any]) -> None:
    for name, problem in changed_since_sealed(folder, manifest):
        raise DataError(f"{folder / name}: {problem} since the build was sealed: restore it or build again")


def changed_since_sealed(
    folder: Path, manifest: Mapping[str, Any], told: Callable[[str], object] = str
) -> Iterator[tuple[str, str]]:
    """Sealed files of a build that are not as its manifest says; see `pathfolio.kg.seal.changed_files`."""
    return changed_files(folder, manifest, "build_hash", told)


def _report(graph: KnowledgeGraph, learned: LearnedParts, progress: Progress) -> dict[str, Any]:
    manifest = learned.vectors.manifest
    return {
        "counts": graph.counts(),
        "embedding": {**manifest.to_json(), "graph_hash": None},
        "attention": {"inner_ndcg_at_10": learned.attention.ndcg},
        **({"towers": {"inner_ndcg_at_10": learned.towers.ndcg}} if learned.towers is not None else {}),
        "stages": [asdict(stage) for stage in progress.stages],
    }
