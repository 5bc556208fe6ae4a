"""What sentences of several kinds have in common, held against the snapshot."""

from __future__ import annotations

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.kg.span import Row


def check_holdings(view: Snapshot, said: Said) -> tuple[list[Row], list[str]]:
    """Rows of the holdings that the sentence names, and what is wrong with them."""
    rows = list(dict.fromkeys(view.row(path["nodes"][1]) for path in said.paths))
    problems = [] if said.paths else ["cites no path"]
    if rows and view.listed_names(rows, said.lang) != said.text("held"):
        problems.append(f"names {said.text('held')!r}, the paths begin with {view.listed_names(rows, said.lang)!r}")
    followed = said.has("followed") and said.is_so("followed")
    position = "FOLLOWS" if followed else "HOLDS" if said.is_so("still") else "HELD"
    others = [row for row in rows if not view.has(view.user, position, row)]
    problems += [f"{view.name(row, said.lang)} is not {position} by the investor" for row in others]
    return rows, problems + [f"{p['id']} speaks against the asset" for p in said.paths if p["contribution"] <= 0]


def check_label(view: Snapshot, said: Said, row: Row, relation: str, name: str) -> list[str]:
    """Whether the one label to which a node's relation leads is the one that the sentence calls `name`."""
    labels = [view.name(tail, said.lang) for tail in view.tails(row, relation)]
    return [] if labels == [said.text(name)] else [f"the {relation} is {labels}"]
