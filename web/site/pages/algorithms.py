"""Algorithms on the graph: chosen from a list, answered as a table, CSV, Parquet or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from flask import Blueprint, Response, current_app, request
from msgspec import Meta

from pathfolio.explain.records.uses import QueryUse, note_use
from pathfolio.kg.algorithms.run import ALGORITHMS, DescribedAlgorithm, algorithm_of, described
from pathfolio.kg.errors import UsageError
from pathfolio.kg.store.parameters import parse_assignments
from pathfolio.web.cypher_formats import FORMATS
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.graph.algorithm_runs import AlgorithmOutcome, AlgorithmRuns
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.console import DOWNLOADS
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served_graph, show
from pathfolio.web.site.twin import wants_json
from pathfolio.web.site.view import view

AlgorithmName = Annotated[str, Meta(description="which algorithm", extra_json_schema={"enum": list(ALGORITHMS)})]
OptionLines = Annotated[str, Meta(description="options, one name=value a line", max_length=4000)]

blueprint = Blueprint("algorithms", __name__)


@dataclass(frozen=True)
class AlgorithmRows:
    """A table: `truncated` names the limit that cut it short, null where it is whole."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: str | None
    seconds: float


@dataclass(frozen=True)
class AlgorithmAnswer:
    """What an algorithm found; null where nothing was asked."""

    table: AlgorithmRows | None


@dataclass(frozen=True)
class AlgorithmsPage(Page):
    """The algorithms, the one that was chosen with its options, and what became of it."""

    template: ClassVar[str] = "algorithms.html"
    algorithms: tuple[DescribedAlgorithm, ...]
    chosen: DescribedAlgorithm | None
    given: Mapping[str, str]
    outcome: AlgorithmOutcome

    def twin(self) -> AlgorithmAnswer:
        """The table."""
        result = self.outcome.result
        if result is None:
            return AlgorithmAnswer(None)
        return AlgorithmAnswer(AlgorithmRows(result.columns, result.rows, result.cut, result.seconds))


@blueprint.get("/graph/algorithms")
@view(Permission.GRAPH, tag="graph", errors=(503,))
def algorithms(name: AlgorithmName = "", options: OptionLines = "") -> AlgorithmsPage | Response:
    """What an algorithm finds in the graph.

    It runs on the graph without investors, one at a time, within bounds of time, rows and memory; the run is recorded
    first. Without a name, nothing is run.
    """
    listed = tuple(map(described, ALGORITHMS))
    chosen = next((each for each in listed if each.name == name), None)
    given: dict[str, str] = {}
    try:
        given = _given(options)
        is_asked = bool(name) and all(option.default is not None or given.get(option.name) for option in _of(chosen))
        outcome = _outcome(name, given) if is_asked or (name and chosen is None) else AlgorithmOutcome()
    except UsageError as error:
        outcome = AlgorithmOutcome(problem=str(error), status=400)
    if outcome.problem and wants_json():
        title = current_texts().say(f"error_{outcome.status}")
        return show(ErrorPage(outcome.status, title, outcome.problem), outcome.status)
    wanted = request.args.get("format", "")
    if wanted in DOWNLOADS and outcome.result is not None:
        response = Response(FORMATS[wanted](outcome.result), mimetype=DOWNLOADS[wanted])
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{wanted}"'
        return response
    return show(AlgorithmsPage(listed, chosen, given, outcome), outcome.status)


def _of(chosen: DescribedAlgorithm | None) -> tuple[Any, ...]:
    return () if chosen is None else chosen.options


def _given(lines: str) -> dict[str, str]:
    """Options from the form's fields (P.name), and from lines."""
    words = [line.strip() for line in lines.splitlines() if line.strip()]
    fields = {key[2:]: value.strip() for key, value in request.args.items() if key.startswith("P.") and value.strip()}
    return {option: text for option, (text, _) in parse_assignments(words).items()} | fields


def _outcome(name: str, given: Mapping[str, str]) -> AlgorithmOutcome:
    """Run it, once it is recorded who asks; what takes too long or has to wait says so in the reader's language."""
    algorithm_of(name, given)  # what is wrong is said before anything is recorded
    form = request.args.get("format", "")
    use = QueryUse(who=asker(), name=f"algorithm {name}", parameters=json.dumps(given), lines="", format=form)
    note_use(served_graph().ledger, use)
    runs: AlgorithmRuns = current_app.extensions["pathfolio_algorithms"]
    found = runs.run(name, given)
    if found.stopped is None:
        return found
    problem = current_texts().say(found.stopped, seconds=int(runs.seconds))
    return AlgorithmOutcome(problem=problem, status=503)
