"""The reference of the data contract, from the columns of the market folder."""

from __future__ import annotations

from pathfolio.kg.column import CellType, Column
from pathfolio.kg.market_folder import KEYS
from pathfolio.kg.tables import LAYOUT
from pathfolio.web.docs.made.markdown import code, codes, table

_TYPES = {
    CellType.TEXT: "text",
    CellType.IDENTIFIER: "identifier",
    CellType.WORD: "word",
    CellType.DATE: "date",
    CellType.NUMBER: "number",
}


def data_contract() -> str:
    """Every table with its columns: name, type, whether required, what may stand in it."""
    return "\n\n".join(_table(name, columns) for name, columns in LAYOUT.items())


def _table(name: str, columns: tuple[Column, ...]) -> str:
    rows = [
        (code(column.title), _TYPES[column.type], "**yes**" if column.required else "", _allowed(column))
        for column in columns
    ]
    key = f"One row for each {codes(KEYS[name])}." if name in KEYS else "Equal rows are rows of their own."
    return f"## {name}\n\n{table(['column', 'type', 'required', 'what may stand in it'], rows)}\n\n{key}"


def _allowed(column: Column) -> str:
    if column.words:
        return codes(dict.fromkeys(column.words))
    bounds = column.bounds
    parts = [
        f"{'above' if bounds.above else 'from'} {bounds.low:g}" if bounds.low > float("-inf") else "",
        f"to {bounds.high:g}" if bounds.high < float("inf") else "",
    ]
    return " ".join(part for part in parts if part)
