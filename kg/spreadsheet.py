"""Texts as cells of CSV files that people open in spreadsheets: none of them is taken for a formula.

A text that begins with = + - @, a tab or a carriage return, blanks before it not counted, gets an apostrophe in front,
as spreadsheets themselves write it; a text that is a number, such as -0.5, stays as it is, and so do numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import pandas as pd

RULE: Final = "in CSV a text that begins with = + - @, a tab or CR has an apostrophe before it, and is no formula"
"""For the help of options."""

_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")
_NUMBER: Final = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,3})?", re.ASCII)

Cell = TypeVar("Cell")


def safe_cell(value: Cell) -> Cell | str:
    """A text that no spreadsheet computes; all that is no text stays as it is.

    >>> [safe_cell(cell) for cell in ("=1+1", "-0.5", "+1e-3", " @SUM(A1)", "-A", "A-1", -0.5)]
    ["'=1+1", '-0.5', '+1e-3', "' @SUM(A1)", "'-A", 'A-1', -0.5]
    """
    if not isinstance(value, str) or value.lstrip(" ")[:1] not in _FORMULA or not value.strip(" "):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every text as `safe_cell` writes it."""
    texts = table.select_dtypes(include=["object", "str", "category"]).columns
    changed: dict[str, Any] = {str(name): table[name].astype("object").map(safe_cell) for name in texts}
    return table.assign(**changed) if changed else table
