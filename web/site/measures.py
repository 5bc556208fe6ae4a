"""`Measures`: how the running site is doing, for Prometheus; pages go by name, so that no address tells of a person."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from pathfolio.kg.errors import LedgerError
from pathfolio.web.site.served import ServedGraph

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Measures:
    """Counts requests and how long they take, and looks at ledger, build and helpers when it is asked.

    Attributes:
        registry: all of it; one per site, so that two sites in one process stay apart.
    """

    def __init__(self, app: Flask) -> None:
        """Count the requests of `app` from now on."""
        self.registry = CollectorRegistry()
        self._helpers: Callable[[], int] | None = None
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        labels = ("page", "method")
        self._requests = Counter(
            "pathfolio_requests", "Requests answered, by page.", (*labels, "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "pathfolio_request_seconds", "How long answers took.", labels, registry=self.registry, buckets=_SECONDS
        )
        self._add_gauges(app.extensions["pathfolio"])
        app.before_request(_begin)
        app.after_request(self._answered)

    def watch_helpers(self, living: Callable[[], int], asked: int) -> None:
        """Say how many helpers live, of so many that were asked for."""
        self._helpers = living
        self._gauge("pathfolio_helpers", "Helper processes that live.", living)
        self._gauge("pathfolio_helpers_asked", "Helper processes that were asked for.", lambda: asked)

    @property
    def lacks_helpers(self) -> bool:
        """Whether helpers were asked for, and none lives."""
        return self._helpers is not None and not self._helpers()

    def _gauge(self, name: str, about: str, value: Callable[[], float]) -> None:
        Gauge(name, about, registry=self.registry).set_function(value)

    def _add_gauges(self, served: ServedGraph) -> None:
        build = Gauge("pathfolio_build", "The build that is served.", ("hash", "as_of"), registry=self.registry)
        build.labels(served.source_hash, served.graph.as_of.isoformat()).set(1)
        self._gauge(
            "pathfolio_build_age_days",
            "Days from the snapshot's date to today.",
            lambda: (served.today() - served.graph.as_of).days,
        )
        self._gauge("pathfolio_ledger_entries", "Entries of the ledger.", lambda: _entries(served))
        self._gauge(
            "pathfolio_ledger_lag_seconds",
            "For how long the oldest entry has been waiting that is not on disk yet.",
            lambda: served.ledger.lag,
        )

    def _answered(self, response: Response) -> Response:
        page = request.endpoint or "none"
        method = request.method if request.endpoint else "none"
        self._requests.labels(page, method, str(response.status_code)).inc()
        if "begun" in g:
            self._seconds.labels(page, method).observe(time.perf_counter() - g.begun)
        return response


def _begin() -> None:
    g.begun = time.perf_counter()


def _entries(served: ServedGraph) -> float:
    """NaN where the ledger cannot be reached: the other measures are told all the same."""
    try:
        return served.ledger.size
    except LedgerError:
        return math.nan
