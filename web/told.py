"""What investors told the site, as further rows of a data set: the next build has it among its relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from pathfolio.kg.schema import ASSET_KINDS, RELATIONS, Relation
from pathfolio.kg.tables import Tables, typed_table
from pathfolio.recommender.assumed import YEARS
from pathfolio.recommender.suitability.investor import TOLD
from pathfolio.recommender.told import ToldFact

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger

TABLE: Final = "relations"


def ledger_if_any() -> Ledger | None:
    """The ledger that the environment names, where there is one already.

    Raises:
        LedgerError: it is there and cannot be opened.
    """
    from pathfolio.explain.ledger.opening import ledger_location, open_ledger
    from pathfolio.explain.ledger.store import DATABASE_FILE

    where = ledger_location()
    if "://" not in where and not (Path(where).expanduser() / DATABASE_FILE).exists():
        return None
    return open_ledger(where, create=False)


def with_told(tables: Tables, ledger: Ledger | None, as_of: date, before: int | None = None) -> Tables:
    """The tables with what their investors told by the day `as_of`; a note says how much that is.

    For how long money can stay invested is no relation and stays in the ledger. What names an asset or an investor
    that the tables do not have is left out, and counted in the note.

    Args:
        before: only what stands before this place in the ledger.

    Raises:
        LedgerError: what was told cannot be read.
    """
    if ledger is None:
        return tables
    from pathfolio.explain.records.telling import told_by_all

    told = told_by_all(ledger, tables.name, as_of, before)
    rows, left_out = _rows(tables, told)
    if not rows and not left_out:
        return tables
    columns = ("source_id", "relation", "target_id", "as_of")
    frame = pd.DataFrame(rows, columns=list(columns)).assign(source=TOLD)
    added = typed_table(TABLE, frame.assign(known_at=frame["as_of"]))
    aside = f"; {left_out:,} name an asset or investor that is not in the data" if left_out else ""
    note = f"{len(rows):,} relations were told by investors on the site{aside}"
    relations = pd.concat([tables.relations, added], ignore_index=True) if len(tables.relations) else added
    return replace(tables, relations=relations, notes=(*tables.notes, note))


def _rows(tables: Tables, told: Mapping[str, Sequence[ToldFact]]) -> tuple[list[tuple[str, str, str, date]], int]:
    """What stands, as rows of the relations, and how many were left out."""
    users = set(tables.users["user_id"]) | set(tables.positions["user_id"]) | set(tables.transactions["user_id"])
    assets = set(tables.assets["asset_id"])
    rows, left_out = [], 0
    for user_id, facts in told.items():
        for fact in facts:
            if not fact.stands or not fact.target or fact.relation == YEARS:
                continue
            of_asset = RELATIONS[Relation(fact.relation)].tails == ASSET_KINDS
            if user_id not in users or (of_asset and fact.target not in assets):
                left_out += 1
                continue
            rows.append((user_id, fact.relation, fact.target, fact.day))
    return rows, left_out
