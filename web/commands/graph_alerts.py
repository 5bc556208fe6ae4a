"""`pathfolio graph alerts`: which saved queries answer otherwise on this build than on the one before."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathfolio.web.site.graph.alerts import Alert
    from pathfolio.web.site.graph.question import ConsoleQuestion


def run(args: argparse.Namespace) -> None:
    """Ask every saved query on the graph, remember what it answers, and tell what changed."""
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.uses import QueryUse, note_use
    from pathfolio.kg.errors import StoreError
    from pathfolio.kg.graph_folder import holds_graph_alone, load_graph_folder
    from pathfolio.recommender.build import load_build
    from pathfolio.web.advice import account_name
    from pathfolio.web.site.graph.alerts import alerts_of
    from pathfolio.web.site.graph.desk import START_SECONDS, GraphDesk, State
    from pathfolio.web.site.graph.saved import SavedKind, SavedThings

    ledger = open_ledger()
    source = load_graph_folder(args.build) if holds_graph_alone(args.build) else load_build(args.build)
    graph = source.graph
    where = str(args.build.resolve())

    def note(question: ConsoleQuestion) -> None:
        name = "" if question.named is None else question.named.name
        values = json.dumps(question.values, default=str)
        use = QueryUse(
            who=account_name(),
            name=name,
            query="" if name else question.query,
            parameters=values,
            lines=question.lines,
            format="",
            server=where,
        )
        note_use(ledger, use)

    saved = SavedThings(ledger.store, investors=True)
    found: list[Alert] = []
    for investors in sorted({each.investors for each in saved.all() if each.kind is SavedKind.QUERY}):
        desk = GraphDesk(source, investors=investors)
        try:
            desk.start()
            if desk.wait(START_SECONDS) is not State.READY:
                raise StoreError(desk.failure or "the graph server does not start")
            found += alerts_of(saved, desk, graph.content_hash, graph.as_of, note)
        finally:
            desk.close()
    ledger.close()
    sys.stdout.write(_as_json(found) if args.format == "json" else _as_text(found))


def _as_json(alerts: list[Alert]) -> str:
    rows = [
        {"id": each.item.id, "name": each.item.name, "owner": each.item.owner}
        | {key: value for key, value in asdict(each).items() if key != "item"}
        for each in alerts
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1, default=str) + "\n"


def _as_text(alerts: list[Alert]) -> str:
    return "".join(map(_line, alerts)) or "no query is saved: save one on the site's graph page\n"


def _line(alert: Alert) -> str:
    name = f"{alert.state}  {alert.item.name} ({alert.item.owner})"
    match alert.state:
        case "failed":
            return f"{name}: {alert.problem}\n"
        case "changed":
            return f"{name}: {alert.rows_before:,} rows on {alert.since}, {alert.rows:,} now\n"
    return f"{name}: {alert.rows:,} rows\n"
