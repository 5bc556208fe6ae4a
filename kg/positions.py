"""From statements of positions and transactions to the dated versions of HOLDS and HELD."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from kg.schema import Relation

_ROUNDING: Final = 1e-9
"""Units at or below this are a rounding rest of a closed position (sums of sales leave some 1e-13)."""

_PAIR: Final = ["user_id", "asset_id"]


def position_versions(positions: pd.DataFrame, transactions: pd.DataFrame) -> pd.DataFrame:
    """One row per change of a position: user_id, asset_id, relation, units, weight, as_of, known_at, table.

    A statement (all positions of an investor with one `as_of`) gives the units then held; an earlier position
    that a later statement of the same investor leaves out is closed on the later date. Transactions add to the
    last statement before them; those of a statement's own day are in it. A version is known no earlier than the
    ones that it builds on. Versions that change nothing are left out, so `as_of` of the first version is the day
    since when the pair is known. A position of 0 units or less is closed (HELD): sales of what was bought before the
    records begin leave some below 0, and later purchases count from there.

    Args:
        positions, transactions: tables of `kg.tables.Tables`.
    """
    parts = [_statement_events(positions), _closing_events(positions, transactions), _transaction_events(transactions)]
    events = pd.concat(parts)
    order = [*_PAIR, "as_of", "is_statement", "known_at"]
    events = events.sort_values(order, kind="stable").reset_index(drop=True)
    pair = events.groupby(_PAIR, sort=False)
    segment = pair["is_statement"].cumsum()
    events["units"] = events.groupby([*(events[c] for c in _PAIR), segment], sort=False)["change"].cumsum()
    events["known_at"] = pair["known_at"].cummax()
    last_of_day = ~events.duplicated([*_PAIR, "as_of", "known_at"], keep="last")
    events = events[last_of_day].reset_index(drop=True)
    held = events["units"] > _ROUNDING
    events["relation"] = np.where(held, Relation.HOLDS.value, Relation.HELD.value)
    events["units"] = events["units"].clip(lower=0).where(events["counted"])
    columns = [*_PAIR, "relation", "units", "weight", "as_of", "known_at", "table"]
    return events.loc[_changed(events), columns].reset_index(drop=True)


def _changed(events: pd.DataFrame) -> pd.Series[bool]:
    """True for the first version of a pair and for those that differ from the one before."""
    state = events[[*_PAIR, "relation", "units", "weight"]]
    before = state.shift()
    same = (state == before) | (state.isna() & before.isna())
    return ~same.fillna(False).all(axis=1)


def _statement_events(positions: pd.DataFrame) -> pd.DataFrame:
    amount = positions["units"].fillna(positions["value"]).fillna(positions["weight"]).fillna(1.0)
    return pd.DataFrame(
        {
            "user_id": positions["user_id"],
            "asset_id": positions["asset_id"],
            "as_of": positions["as_of"],
            "known_at": positions["known_at"].fillna(positions["as_of"]),
            "change": amount,
            "counted": positions["units"].notna(),
            "weight": positions["weight"],
            "is_statement": True,
            "table": "positions",
        }
    )


def _closing_events(positions: pd.DataFrame, transactions: pd.DataFrame) -> pd.DataFrame:
    """What an investor's next statement no longer lists, though it was held or traded before."""
    events = _statement_events(positions)
    statements = events.groupby(["user_id", "as_of"])[["known_at"]].max().reset_index()
    held = events[events["change"] > _ROUNDING]
    traded = transactions.rename(columns={"date": "as_of"})
    later = [_next_statement(held, statements, same_day=False), _next_statement(traded, statements, same_day=True)]
    expected = pd.concat(later).drop_duplicates([*_PAIR, "statement"])
    listed = events[[*_PAIR, "as_of"]].drop_duplicates().rename(columns={"as_of": "statement"}).assign(there=True)
    gone = expected.merge(listed, on=[*_PAIR, "statement"], how="left")
    gone = gone[gone["there"].isna()]
    return pd.DataFrame(
        {
            "user_id": gone["user_id"],
            "asset_id": gone["asset_id"],
            "as_of": gone["statement"],
            "known_at": gone["known_at"],
            "change": 0.0,
            "counted": True,
            "weight": np.nan,
            "is_statement": True,
            "table": "positions",
        }
    )


def _next_statement(rows: pd.DataFrame, statements: pd.DataFrame, *, same_day: bool) -> pd.DataFrame:
    """`rows` with the day (statement) and known_at of the investor's next statement; rows without one are left out."""
    right = statements.assign(statement=statements["as_of"]).sort_values("as_of", kind="stable")
    left = rows[[*_PAIR, "as_of"]].sort_values("as_of", kind="stable")
    options: Any = {"by": "user_id", "direction": "forward", "allow_exact_matches": same_day}
    return pd.merge_asof(left, right, on="as_of", **options).dropna(subset=["statement"])


def _transaction_events(transactions: pd.DataFrame) -> pd.DataFrame:
    amount = transactions["units"].fillna(transactions["value"]).fillna(1.0)
    return pd.DataFrame(
        {
            "user_id": transactions["user_id"],
            "asset_id": transactions["asset_id"],
            "as_of": transactions["date"],
            "known_at": transactions["date"],
            "change": np.where(transactions["side"] == "sell", -amount, amount),
            "counted": transactions["units"].notna(),
            "weight": np.nan,
            "is_statement": False,
            "table": "transactions",
        }
    )
