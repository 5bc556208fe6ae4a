"""What people saved, as the running site has it."""

from __future__ import annotations

from typing import Final

from flask import current_app

from pathfolio.kg.store.query import QueryResult
from pathfolio.web.site.graph.desk import GraphDesk
from pathfolio.web.site.graph.question import ConsoleQuestion, question_in
from pathfolio.web.site.graph.saved import SavedKind, SavedThings, answer_of
from pathfolio.web.site.render import served_graph

_KEPT: Final = "pathfolio_saved"


def saved_things() -> SavedThings:
    """What people saved; opened when it is first asked for."""
    extensions = current_app.extensions
    if _KEPT not in extensions:
        desk: GraphDesk = extensions["pathfolio_graph"]
        extensions[_KEPT] = SavedThings(served_graph().ledger.store, investors=desk.investors)
    found: SavedThings = extensions[_KEPT]
    return found


def note_answer(key: str, question: ConsoleQuestion, result: QueryResult) -> None:
    """Remember what a saved query answered, where it is still the one that was saved."""
    item = saved_things().find(key)
    if item is not None and item.kind is SavedKind.QUERY and question_in(item.body) == question:
        graph = served_graph().graph
        saved_things().note(item, answer_of(result, graph.content_hash, graph.as_of))
