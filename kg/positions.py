"""From statements of positions and transactions to the dated versions of HOLDS and HELD.

What is known when, for positions and for every other relation:

- A row tells of a day (`as_of`, valid time) and is known from a day on (`known_at`; `as_of` where it is not given).
  The snapshot of D is made of the rows with both days on or before D, and is what it would be if no others ever came.
- Of what is known the latest `as_of` stands, and of several rows for one `as_of` the one known last. So a row that
  comes late changes what is known of the day that it tells of and since, up to the next row that tells of it; what a
  newer row says stands.
- A statement (all rows of an investor with one `as_of`) is whole, and known from its first row on: what the investor
  had before and it does not list is closed on its day.
- A row of a statement that is known later than its first one amends it, and tells of its own asset alone: it corrects
  the asset's row, adds one, or with 0 units takes it out. The data have no word for an amendment that replaces the
  whole; such a one names what it leaves out with 0 units.
- A transaction is known on its own day. Transactions add to the last statement before them that is known, and those
  of a statement's own day are in it. Where a statement becomes known later, the transactions since are added to it.
- A fund's holdings are statements, too (`Replaces.STATEMENT` in `pathfolio.kg.schema`); elsewhere each row stands by
  itself, and `pathfolio.kg.resolve` chooses. What came late is told in the build's report (`pathfolio.kg.late`).
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd

from pathfolio.kg.graph import IntArray
from pathfolio.kg.schema import Relation

_ROUNDING: Final = 1e-9
"""Units at or below this are a rounding rest of a closed position (sums of sales leave some 1e-13)."""

_PAIR: Final = ["user_id", "asset_id"]
_STATEMENT: Final = ["user_id", "as_of"]
_EVER: Final = pd.Timestamp(1, 1, 1)
"""Before all that is told."""

_DAYS: Final = 2**32
"""More days than there are dates, of which half are before 1970."""


def position_versions(positions: pd.DataFrame, transactions: pd.DataFrame) -> pd.DataFrame:
    """One row per change of a position: user_id, asset_id, relation, units, weight, amount, as_of, known_at, table.

    The state of a pair on a day, as known on D, is the version with the latest `as_of` up to that day, then the latest
    `known_at`, of those known by D. Versions that change nothing are left out, so the earliest `as_of` of a pair is
    the day since when it is known. A position of 0 units or less is closed (HELD): sales of what was bought before the
    records begin leave some below 0, and later purchases count from there. `amount` is what a statement says that the
    units are worth; null where a transaction was the last word.

    Args:
        positions, transactions: tables of `pathfolio.kg.tables.Tables`.
    """
    statements = _statement_events(positions)
    trades = _transaction_events(transactions)
    names = {}
    for column in _PAIR:  # numbers in the order of the names: they are sorted and compared many times faster
        codes, names[column] = pd.factorize(pd.concat([statements[column], trades[column]]), sort=True)
        statements[column] = codes[: len(statements)]
        trades[column] = codes[len(statements) :]
    retellings = _retellings(statements, trades)
    late = [rows["user_id"].isin(retellings["user_id"]) for rows in (statements, trades)]
    history = _history(statements[~late[0]], trades[~late[1]])
    versions = pd.concat([history[_changed(history)], _retold(statements[late[0]], trades[late[1]], retellings)])
    named = {column: names[column].take(versions[column].to_numpy(int)) for column in _PAIR}
    relation = _either(versions["held"], Relation.HOLDS.value, Relation.HELD.value)
    versions = versions.assign(
        **named, relation=relation, table=_either(versions["is_statement"], "positions", "transactions")
    )
    columns = [*_PAIR, "relation", "units", "weight", "amount", "as_of", "known_at", "table"]
    return versions[columns].reset_index(drop=True)


def _either(mask: pd.Series[bool], true: str, false: str) -> pd.Index[str]:
    return pd.Index([false, true]).take(mask.to_numpy(np.int64))


# -- in the order of what is known ----------------------------------------------------------------------------


def _retellings(statements: pd.DataFrame, trades: pd.DataFrame) -> pd.DataFrame:
    """The days on which an investor's past is told anew, by a statement older than what is known or by an amendment.

    Columns: user_id; begin, that day; since, the statement day before what is told anew, as what was before it stays.
    """
    told = statements[[*_STATEMENT, "known_at"]]
    if (told["known_at"] == told["as_of"]).all():
        return pd.DataFrame({"user_id": [], "begin": [], "since": []})
    told = told.drop_duplicates().sort_values([*_STATEMENT, "known_at"], kind="stable")
    first = told.drop_duplicates(_STATEMENT)
    before = first.groupby("user_id")[["as_of", "known_at"]].shift()
    told = told.merge(first[_STATEMENT].assign(since=before["as_of"], since_known=before["known_at"]), on=_STATEMENT)
    told = told.merge(_newest_before(pd.concat([told, trades])), on=["user_id", "known_at"], how="left")
    late = told[(told["newest"] > told["as_of"]) | told.duplicated(_STATEMENT)]
    since = late["since"].where(late["since_known"] <= late["known_at"], _EVER)
    return since.groupby([late["user_id"], late["known_at"].rename("begin")]).min().reset_index()


def _newest_before(rows: pd.DataFrame) -> pd.DataFrame:
    """For each day on which an investor's rows become known, the newest `as_of` of those known before: newest."""
    known = rows.groupby(["user_id", "known_at"])["as_of"].max().groupby("user_id").cummax()
    return known.groupby("user_id").shift().rename("newest").reset_index()


def _retold(statements: pd.DataFrame, trades: pd.DataFrame, retellings: pd.DataFrame) -> pd.DataFrame:
    """The versions as they became known, from one retelling to the next: each adds what differs from those before.

    Only what was known by then is read each time, so that no later row changes an earlier snapshot.
    """
    first = retellings[["user_id"]].drop_duplicates().assign(begin=_EVER, since=_EVER)
    readings = pd.concat([first, retellings]).sort_values(["user_id", "begin"], kind="stable")
    by_user = readings.groupby("user_id")
    readings = readings.assign(end=by_user["begin"].shift(-1), number=by_user.cumcount())
    statements = statements.sort_values("known_at", kind="stable")
    versions = pd.DataFrame({"user_id": []})
    for _, reading in readings.groupby("number"):
        listed = _read(statements, reading).drop_duplicates([*_PAIR, "as_of"], keep="last")
        versions = _with_news(versions, _history(listed, _read(trades, reading)))
    return versions


def _read(rows: pd.DataFrame, reading: pd.DataFrame) -> pd.DataFrame:
    """The rows since `since` that are known before `end` (null: ever); what was known before `begin` is told then."""
    rows = rows.merge(reading[["user_id", "begin", "end", "since"]], on="user_id")
    rows = rows[(rows["as_of"] >= rows["since"]) & ~(rows["known_at"] >= rows["end"])]
    return rows.assign(known_at=rows[["known_at", "begin"]].max(axis=1)).drop(columns=["begin", "end", "since"])


def _with_news(known: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """The known versions, and those of a history that tell another state than they do."""
    touched = known["user_id"].isin(history["user_id"].unique())
    both = pd.concat([known[touched].assign(is_new=False), history.assign(is_new=True)])
    both = both.sort_values([*_PAIR, "as_of", "known_at"], kind="stable")
    return pd.concat([known[~touched], both[~both["is_new"] | _changed(both)]])


def _changed(versions: pd.DataFrame) -> pd.Series[bool]:
    """True for the first version of a pair and for those that differ from the one before."""
    state = versions[[*_PAIR, "held", "units", "weight", "amount"]]
    before = state.shift()
    same = (state == before) | (state.isna() & before.isna())
    return ~same.fillna(False).all(axis=1)


# -- in the order of what is told of --------------------------------------------------------------------------


def _history(statements: pd.DataFrame, trades: pd.DataFrame) -> pd.DataFrame:
    """The state of each pair on each day that something tells of, of rows that became known in the order of `as_of`."""
    events = pd.concat([statements, _closing_events(statements, trades), trades])
    order = [*_PAIR, "as_of", "is_statement", "known_at"]
    events = events.sort_values(order, kind="stable").reset_index(drop=True)
    begins = events["is_statement"] | ~events.duplicated(_PAIR)
    events["units"] = events.groupby(begins.cumsum(), sort=False)["change"].cumsum()
    last_of_day = ~events.duplicated([*_PAIR, "as_of", "known_at"], keep="last")
    events = events[last_of_day].reset_index(drop=True)
    events["held"] = events["units"] > _ROUNDING
    events["units"] = events["units"].clip(lower=0).where(events["counted"])
    return events


def _closing_events(statements: pd.DataFrame, trades: pd.DataFrame) -> pd.DataFrame:
    """What an investor's next statement no longer lists, though it was held or traded before."""
    days, first = np.unique(_user_days(statements), return_index=True)
    held = statements[statements["change"] > _ROUNDING]
    expected = [_listing(held, days, side="right"), _listing(trades, days, side="left")]
    wanted = pd.unique(np.concatenate(expected))
    gone = wanted[pd.Index(_listing(statements, days, side="left")).unique().get_indexer(pd.Index(wanted)) < 0]
    asset, statement = np.divmod(gone, max(len(days), 1))
    return statements.iloc[first[statement]].assign(
        asset_id=asset, change=0.0, counted=True, weight=np.nan, amount=np.nan
    )


def _user_days(rows: pd.DataFrame) -> IntArray:
    """One number per row, in the order of investor and `as_of`."""
    return rows["user_id"].to_numpy(np.int64) * _DAYS + rows["as_of"].to_numpy("datetime64[D]").astype(np.int64)


def _listing(rows: pd.DataFrame, days: IntArray, *, side: Literal["left", "right"]) -> IntArray:
    """A number for each row's asset and the investor's next statement, on the same day (left) or after it (right).

    Rows without a next statement have none.
    """
    at = np.searchsorted(days, _user_days(rows), side)
    followed = at < len(days)
    followed[followed] = (days[at[followed]] + _DAYS // 2) // _DAYS == rows["user_id"].to_numpy()[followed]
    return rows["asset_id"].to_numpy(np.int64)[followed] * len(days) + at[followed]


# -- rows -----------------------------------------------------------------------------------------------------


def _statement_events(positions: pd.DataFrame) -> pd.DataFrame:
    amount = positions["units"].fillna(positions["value"]).fillna(positions["weight"]).fillna(1.0)
    as_of, known_at = positions["as_of"], positions["known_at"]
    return pd.DataFrame(
        {
            "user_id": positions["user_id"],
            "asset_id": positions["asset_id"],
            "as_of": as_of,
            "known_at": known_at.where(known_at > as_of, as_of),
            "change": amount,
            "counted": positions["units"].notna(),
            "weight": positions["weight"],
            "amount": positions["value"],
            "is_statement": True,
        }
    )


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
            "amount": np.nan,
            "is_statement": False,
        }
    )
