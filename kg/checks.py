"""What rows must be to each other: keys that occur once, references that lead somewhere, values that agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.column import Mask
from pathfolio.kg.schema import ASSET_KIND_OF, ASSET_KINDS, RELATIONS, NodeKind, Relation, Role, columns_of
from pathfolio.kg.sieve import Sieve

_LARGEST_AMOUNT: Final = 50.0
"""A year's revenue or cash flow is at most a few times the market value; beyond this the currency is another."""

_HEADS: Final = {kind for spec in RELATIONS.values() for kind in spec.heads}
_COLUMNS_OF_HEADS: Final = tuple(
    (column, relation)
    for column, relation in columns_of(Role.ATTRIBUTE).items()
    if RELATIONS[relation].tails[0] in _HEADS
)
"""Columns of assets whose nodes begin relations of their own: industries and markets."""


def check_keys(sieve: Sieve, key: Sequence[str], prefer: pd.Series[bool] | None = None) -> None:
    """Of rows with one key the first stands; the others are set aside, the same row again or a conflicting one.

    A row that does not say when it was known was known on its day.

    Args:
        prefer: rows that stand before others with their key, wherever they are in the file.
    """
    rows = sieve.kept
    if "known_at" in key:
        rows = rows.assign(known_at=rows["known_at"].fillna(rows["as_of"]))
    if prefer is not None:
        rows = rows.iloc[np.argsort(~prefer[sieve.keep].to_numpy(bool), kind="stable")]
    repeated = rows[rows.duplicated(list(key), keep=False)]
    if repeated.empty:
        return
    group = repeated.groupby(list(key), sort=False, dropna=False, observed=True).ngroup()
    first = pd.Series(repeated.index, index=repeated.index).groupby(group).transform("first")
    text = sieve.kept.loc[repeated.index].astype("str").fillna("(empty)")  # as it stands in the file
    found = (
        text[list(key)].agg(", ".join, axis=1)
        + f" (first on {sieve.raw.counted} "
        + pd.Series(sieve.raw.line[first], index=first.index).astype("str")
        + ")"
    )
    later = repeated.duplicated(list(key))
    same = later & (text == text.loc[first].set_axis(text.index)).all(axis=1)
    columns = ", ".join(key)
    found = found.reindex(sieve.frame.index)
    sieve.reject(_mask(sieve, same), columns, found, "the same row again", "keep one of the two")
    problem = "a second row with the same key and other values"
    sieve.reject(_mask(sieve, later & ~same), columns, found, problem, "keep the right one of the two")


def _mask(sieve: Sieve, rows: pd.Series[bool]) -> Mask:
    """A mask over the file's rows from one over some of them."""
    mask = np.zeros(len(sieve.keep), bool)
    mask[rows.index[rows.to_numpy(bool)]] = True
    return mask


def check_reference(sieve: Sieve, column: str, known: Collection[str], problem: str, remedy: str) -> None:
    """Set rows aside whose identifier in `column` is not among the known ones."""
    values = sieve.frame[column]
    strange = np.append(~values.cat.categories.isin(list(known)), False)
    sieve.reject(strange[values.cat.codes], sieve.titles[column], values, problem, remedy)


def check_asset(sieve: Sieve, assets: pd.DataFrame, column: str = "asset_id") -> None:
    """`column` must name an asset of the assets table."""
    check_reference(sieve, column, set(assets["asset_id"]), "no such asset", "add it to the assets, or leave it out")


def check_user(sieve: Sieve, users: pd.DataFrame) -> None:
    """`user_id` must name an investor of the users table."""
    known = set(users["user_id"])
    check_reference(sieve, "user_id", known, "no such investor", "add the investor to the users, or leave it out")


def check_positions(sieve: Sieve) -> None:
    """A holding of no units is worth nothing, and is not known before its day."""
    rows = sieve.frame
    empty = ((rows["units"] == 0) & (rows["value"] > 0)).to_numpy()
    problem = "worth something, and yet units is 0"
    sieve.reject(empty, "value", rows["value"], problem, "give the units, or leave their cell empty")
    _check_known_at(sieve)


def check_fund_holdings(sieve: Sieve, assets: pd.DataFrame) -> None:
    """A holding's fund is a fund of the assets table, other than what it holds, and not known before its day."""
    check_asset(sieve, assets, "fund_id")
    funds = set(assets.loc[assets["kind"] == "fund", "asset_id"])
    check_reference(sieve, "fund_id", funds, "an asset, but not a fund", "correct its kind in the assets")
    rows = sieve.frame
    itself = (rows["fund_id"].astype("str") == rows["asset_id"].astype("str")).to_numpy(bool)
    sieve.reject(itself, "asset_id", rows["asset_id"], "a fund that holds itself", "leave the row out")
    _check_known_at(sieve)


def _check_known_at(sieve: Sieve) -> None:
    rows = sieve.frame
    early = (rows["known_at"] < rows["as_of"]).to_numpy()
    problem = "before as_of, the day that the row describes"
    sieve.reject(early, "known_at", rows["known_at"], problem, "correct one of the two dates")


def check_prices(sieve: Sieve) -> None:
    """The day's highest price is not below its lowest."""
    rows = sieve.frame
    crossed = (rows["high"] < rows["low"]).to_numpy()
    sieve.reject(crossed, "high", rows["high"], "below the day's low", "correct one of the two prices")


def check_facts(sieve: Sieve) -> None:
    """Amounts of a year fit the market value that is stated for the same asset, day and unit."""
    rows = sieve.kept
    key = ["asset_id", "as_of", "unit"]
    sizes = rows[rows["metric"] == "market_cap"].drop_duplicates(key)[[*key, "value"]]
    amounts = rows[rows["metric"].isin(["revenue", "free_cash_flow"])]
    size = amounts[key].merge(sizes, on=key, how="left")["value"].to_numpy()
    wrong = amounts[amounts["value"].abs().to_numpy() > _LARGEST_AMOUNT * size]
    strange = np.zeros(len(sieve.keep), bool)
    strange[wrong.index] = True
    problem = "many times the market value of that day, as if it were in another currency"
    sieve.reject(strange, "value", sieve.frame["value"], problem, "give it in the unit that the row names")


def check_relations(sieve: Sieve, assets: pd.DataFrame, users: Collection[str]) -> None:
    """Both ends of a relation are nodes that the schema allows there; assets and investors must be known.

    An industry or a market as the head of a relation must be one that the assets name.
    """
    rows = sieve.frame
    named = {
        NodeKind.USER: set(users),
        **{RELATIONS[relation].tails[0]: set(assets[column].dropna()) for column, relation in _COLUMNS_OF_HEADS},
    }
    for kind in ASSET_KINDS:
        named[kind] = {a for a, k in zip(assets["asset_id"], assets["kind"], strict=True) if ASSET_KIND_OF[k] is kind}
    for word in rows["relation"].dropna().unique():
        spec = RELATIONS[Relation(word)]
        of_word = (rows["relation"] == word).to_numpy(bool)
        for column, kinds in (("source_id", spec.heads), ("target_id", spec.tails)):
            if not all(kind in named for kind in kinds):
                continue  # such nodes are made by being named
            known = set().union(*(named[kind] for kind in kinds))
            strange = of_word & ~rows[column].isin(known).to_numpy(bool)
            problem = f"not a known {' or '.join(kind.value for kind in kinds)}, as {word} needs there"
            sieve.reject(strange, column, rows[column], problem, "add it to the assets or users, or correct the id")
    itself = (rows["source_id"].astype("str") == rows["target_id"].astype("str")).to_numpy(bool)
    sieve.reject(itself, "target_id", rows["target_id"], "the same as source_id", "leave the row out")


def odd_values(sieves: dict[str, Sieve]) -> list[str]:
    """Sentences about values that look odd but break no rule: the rows are kept, and the report says so."""
    notes = []
    if "positions" in sieves:
        count = _odd_unit_values(sieves["positions"].kept)
        if count:
            file = sieves["positions"].raw.file
            notes.append(
                f"{file}: {count:,} positions are worth more than 100 times, or less than a hundredth, per unit of "
                f"what most holders of the asset report for the day; units and weights are taken as they stand"
            )
    if "prices" in sieves:
        rows = sieves["prices"].kept
        outside = int(((rows["close"] > rows["high"]) | (rows["close"] < rows["low"])).sum())
        if outside:
            file = sieves["prices"].raw.file
            notes.append(f"{file}: {outside:,} closing prices are outside the day's low to high; taken as they stand")
    return notes


def _odd_unit_values(rows: pd.DataFrame) -> int:
    known = rows[(rows["units"] > 0) & (rows["value"] > 0)]
    each = known["value"] / known["units"]
    groups: Any = each.groupby([known["asset_id"], known["as_of"]], observed=True)
    middle = groups.transform("median")
    off = (each > 100 * middle) | (each < middle / 100)
    return int((off & (groups.transform("size") >= 3)).sum())
