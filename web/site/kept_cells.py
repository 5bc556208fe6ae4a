"""Cells of a list's table that are the same whoever looks: made once per asset, column and language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from pathfolio.web.site.list_columns import ListColumn
from pathfolio.web.site.listed import ListLine

_MOST: Final = 50_000
"""Cells that are remembered: some 20 MB."""


class KeptCells:
    """The cells of one build's assets; safe to be used by many threads."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._cells: dict[tuple[str, str, str], Markup] = {}

    def __call__(
        self, lang: str, column: ListColumn, line: ListLine, make: Callable[[ListColumn, ListLine], Markup]
    ) -> Markup:
        """What `make` makes of the column and the line; where the column is of the asset alone, as it was made before.

        Args:
            lang: of the text; the same language must make the same of the same asset.
        """
        if not column.of_asset:
            return make(column, line)
        key = lang, column.name, str(line.asset.id)
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= _MOST:
                self._cells.clear()
            cell = self._cells[key] = make(column, line)
        return cell
