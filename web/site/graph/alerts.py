"""Asking all saved queries again on another day's graph, to tell whose answers changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.web.site.graph.desk import GraphDesk
from pathfolio.web.site.graph.question import ConsoleQuestion, answer_to, question_in
from pathfolio.web.site.graph.saved import SavedItem, SavedKind, SavedThings, answer_of


@dataclass(frozen=True)
class Alert:
    """What became of a saved query on a graph.

    Attributes:
        state: "new" for the first answer, "same", "changed", or "failed".
        since: the day of the graph that it is compared with.
        problem: why it failed.
    """

    item: SavedItem
    state: str
    rows: int = 0
    rows_before: int = 0
    since: date | None = None
    problem: str = ""


def alerts_of(
    saved: SavedThings, desk: GraphDesk, graph: str, as_of: date, note: Callable[[ConsoleQuestion], object]
) -> Iterator[Alert]:
    """Each saved query's alert, once `note` has recorded that it was asked.

    Args:
        desk: of the graph; it has investors where `saved` may be about them.
        graph: its content hash.
    """
    for item in saved.all():
        if item.kind is not SavedKind.QUERY or item.investors is not desk.investors:
            continue
        try:
            question = question_in(item.body)
            note(question)
            answer = answer_of(answer_to(desk, question), graph, as_of)
        except (UsageError, StoreError) as error:
            yield Alert(item, "failed", problem=str(error))
            continue
        before = next((each for each in item.answers if each.graph != graph), None)
        noted = saved.note(item, answer)
        if before is None:
            yield Alert(noted, "new", answer.rows)
        else:
            state = "same" if before.answer == answer.answer else "changed"
            yield Alert(noted, state, answer.rows, before.rows, before.as_of)
