"""`Served`: a build as the pages ask it; what is slow to make is made once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np

from explain.explainer import Explainer
from explain.explanation import Explanation
from explain.facts import FactBook
from explain.place import place_of
from explain.tracer import Tracer
from kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from kg.schema import ASSET_KIND_OF
from recommender.build import Build
from recommender.ranking import id_order, top_lists
from recommender.retrieve import candidates
from recommender.scorer import Scorer
from web.site.directory import Directory
from web.site.prices import PriceBook, PriceHistory


@dataclass(frozen=True)
class Ranked:
    """One line of a list: the asset's position among the snapshot's assets, and its rank from 1."""

    asset: int
    rank: int


class Served:
    """Answers what pages ask of one build; safe to use from several threads.

    Args:
        build: the build that is served.
    """

    def __init__(self, build: Build) -> None:
        """Read the snapshot, nothing else yet."""
        self.build = build
        self.graph: KnowledgeGraph = build.graph
        self._explainer = Explainer(self.graph, build.build_hash)
        self._lock = Lock()

    @cached_property
    def scorer(self) -> Scorer:
        """The served score."""
        return self.build.scorer

    @cached_property
    def names(self) -> Tracer:
        """Names of nodes, as explanations write them."""
        return Tracer(self.graph, self.build.build_hash)

    @cached_property
    def facts(self) -> FactBook:
        """Figures of assets."""
        return FactBook(self.graph)

    @cached_property
    def prices(self) -> PriceBook:
        """Closing prices up to the snapshot's date."""
        return PriceBook.of(self.build.prices, self.graph.as_of)

    @cached_property
    def investors(self) -> Directory:
        """Investors by name and id."""
        return Directory.of(self.names, self.graph.users)

    @cached_property
    def assets(self) -> Directory:
        """Assets by name, ticker and id."""
        return Directory.of(self.names, self.graph.assets)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of asset that the snapshot has: stock, fund, bond."""
        return tuple(word for word, kind in ASSET_KIND_OF.items() if len(self.graph.rows(kind)))

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many nodes and edges there are of each kind."""
        return self.graph.counts()

    def price_of(self, row: int) -> PriceHistory | None:
        """The last year of closes of the asset at `row`, where there are any."""
        return self.prices.history(str(self.graph.nodes.id[row]), str(self.graph.nodes.currency[row]))

    def warm_up(self) -> None:
        """Make everything that the first request would have to wait for."""
        for directory in (self.investors, self.assets):
            directory.find("", 1)
        if len(self.graph.users):
            for line in self.list_of(0, 1, None):
                self.explain(0, line.asset, line.rank, "en")

    # -- lists and explanations ------------------------------------------------------------------------------

    def list_of(self, user: int, k: int, kind: str | None) -> tuple[Ranked, ...]:
        """The best assets for the investor at position `user`, without what they hold or ever held.

        Raises:
            UsageError: there is no such kind, or no asset of it.
        """
        best = top_lists(self._scores(user)[None], self._allowed(user, kind)[None], self._by_id, k)[0]
        return tuple(Ranked(asset, rank) for rank, asset in enumerate(best[best >= 0].tolist(), 1))

    def rank_of(self, user: int, asset: int, kind: str | None) -> int:
        """The asset's place in the investor's whole list, from 1; 0 where it is not on it (held, another kind)."""
        return place_of(self._scores(user), self._allowed(user, kind), asset)

    def explain(self, user: int, asset: int, rank: int, *langs: str) -> Explanation:
        """Why the asset at position `asset` has its score for the investor at position `user`."""
        account = self.scorer.account(user, asset)
        with self._lock:
            return self._explainer.explain(account, rank, langs)

    @cached_property
    def _by_id(self) -> IntArray:
        return id_order(self.graph)

    def _scores(self, user: int) -> FloatArray:
        row: FloatArray = self.scorer.scores(np.array([user]))[0]
        return row

    def _allowed(self, user: int, kind: str | None) -> Mask:
        allowed = candidates(self.graph, kind).copy()
        ever = self.scorer.interactions.ever
        allowed[ever.indices[ever.indptr[user] : ever.indptr[user + 1]]] = False
        return allowed
