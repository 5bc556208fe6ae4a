"""Sentences for the build's report about rows that others overrule by the rule of what is known when.

The rule stands in `pathfolio.kg.positions`. These rows are kept: a snapshot of the right day shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from pathfolio.kg.schema import RELATIONS, Replaces

_STATEMENTS: Final = {"positions": "user_id", "fund_holdings": "fund_id"}
_HEADS: Final = [relation.value for relation, spec in RELATIONS.items() if spec.replaces is Replaces.HEAD]


def overruled_notes(frames: Mapping[str, pd.DataFrame], files: Mapping[str, str]) -> list[str]:
    """What came late, what amends a statement, what is taken to be in one, and what two sources tell at once.

    Args:
        frames: tables of the contract by name.
        files: for each table the file that it was read from; tables without one are not looked at.
    """
    notes = [
        f"{files[table]}: {note}"
        for table, owner in _STATEMENTS.items()
        if table in files
        for note in _statement_notes(frames[table], owner)
    ]
    if {"positions", "transactions"} <= files.keys():
        within = _within_statements(frames["positions"], frames["transactions"])
        if within:
            notes.append(
                f"{files['transactions']}: rows of the day of a statement of the same investor: {within:,}; "
                "they are taken to be in it"
            )
    for table in ("facts", "relations"):
        tied = _told_at_once(frames[table], table) if table in files else 0
        if tied:
            notes.append(
                f"{files[table]}: rows that another of the same as_of and known_at tells otherwise: {tied:,}; "
                "the last by source and value stands; give the right one a later known_at"
            )
    return notes


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(known_at=rows["known_at"].fillna(rows["as_of"]))


def _statement_notes(rows: pd.DataFrame, owner: str) -> Iterator[str]:
    statement = [owner, "as_of"]
    rows = _known(rows)
    first = rows.groupby(statement, observed=True)["known_at"].min().rename("first").reset_index()
    newest = first.sort_values([owner, "first", "as_of"], kind="stable")
    late = newest[newest["as_of"] < newest.groupby(owner, observed=True)["as_of"].cummax()]
    if len(late):
        example = late.iloc[0]
        yield (
            f"statements known only after a newer one: {len(late):,} (that of {example[owner]} for "
            f"{example['as_of'].date()}, on {example['first'].date()}); they tell of the past alone, from then on"
        )
    times = rows[[*statement, "known_at"]].drop_duplicates()
    later = rows[statement].merge(first, on=statement)["first"].to_numpy() < rows["known_at"].to_numpy()
    if later.any():
        yield (
            f"amendments: {times.duplicated(statement).sum():,}, with {int(later.sum()):,} rows known later than the "
            "first of their statement; each row tells of its own asset alone, and what an amendment does not name "
            "stands"
        )


def _within_statements(positions: pd.DataFrame, transactions: pd.DataFrame) -> int:
    days = positions[["user_id", "as_of"]].drop_duplicates().rename(columns={"as_of": "date"})
    return len(transactions[["user_id", "date"]].merge(days, on=["user_id", "date"]))


def _told_at_once(rows: pd.DataFrame, table: str) -> int:
    """Rows beyond the first of one thing, day and day of knowledge; a node has one industry (`Replaces.HEAD`)."""
    key = ["asset_id", "metric"] if table == "facts" else ["source_id", "relation", "target_id"]
    rows = _known(rows)
    if table == "relations":
        rows["target_id"] = rows["target_id"].mask(rows["relation"].isin(_HEADS), "")
    return int(rows.duplicated([*key, "as_of", "known_at"]).sum())
