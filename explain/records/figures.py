"""Figures of a record held against the closes of the build that was sealed for it, by the independent checker."""

from __future__ import annotations

from typing import Final

import pandas as pd
from msgspec import to_builtins

from pathfolio.explain.checker.closes import check_figures
from pathfolio.explain.ledger.entry import GoneError, Header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.keep import kept_build
from pathfolio.explain.records.layout import parse_record

_COLUMNS: Final = ["asset_id", "date", "close"]


def wrong_figures(ledger: Ledger, header: Header) -> list[str]:
    """What is wrong with the figures that the record's explanations cite, one line each.

    Nothing where the record has none, its person was erased, or its build or the closes are not kept here.

    Raises:
        LedgerError: the entry was altered.
    """
    try:
        record = parse_record(ledger.opened(ledger.leaf(header.id)), header.id)
    except GoneError:
        return []
    folder = kept_build(ledger, record.build.hash)
    explained = [line.explanation for line in record.list if line.explanation is not None]
    if folder is None or not (folder / "prices.parquet").is_file() or not explained:
        return []
    facts = {fact.id: to_builtins(fact) for found in explained for fact in found.facts}
    return check_figures(
        list(facts.values()), pd.read_parquet(folder / "prices.parquet", columns=_COLUMNS), record.data.as_of
    )
