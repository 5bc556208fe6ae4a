"""A TOML file of rules being read: typed values, and complaints that name the line and the remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from pathfolio.kg.errors import DataError

LANGS: Final = ("en", "zh-TW")


class TomlReader:
    """One file: its text is kept so that each complaint can name a line."""

    def __init__(self, origin: str, text: str, content: dict[str, Any]) -> None:
        """The file called `origin`, parsed as `content`."""
        self.origin, self.text, self.lines, self.content = origin, text, text.splitlines(), content

    # -- values ----------------------------------------------------------------------------------------------

    def _text(self, table: Mapping[str, Any], key: str, line: int = 0, default: str | None = None) -> str:
        value = table.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self._error(self._where(table, key, line), found(table, key), f'write {key} = "…"')
        return value

    def _texts(self, table: Mapping[str, Any], key: str, line: int) -> list[str]:
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._error(self._where(table, key, line), f"{key} = {values!r}", f'write {key} = ["…", "…"]')
        return values

    def _one_of(
        self, table: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str | None, line: int = 0
    ) -> str:
        value = table.get(key, default)
        if value is None or (key in table and value not in allowed):
            raise self._error(self._where(table, key, line), found(table, key), f"use one of {', '.join(allowed)}")
        return str(value)

    def _fraction(self, table: Mapping[str, Any], key: str, default: float, line: int) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise self._error(
                self._where(table, key, line), f"{key} = {value!r}", "write a fraction above 0 and up to 1, such as 0.1"
            )
        return float(value)

    def _whole(self, table: Mapping[str, Any], key: str, default: int | None, line: int, least: int = 0) -> int:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            remedy = f"write a whole number, {least} or more"
            raise self._error(self._where(table, key, line), found(table, key), remedy)
        return value

    def _titles(self, table: Mapping[str, Any], line: int) -> dict[str, str]:
        titles, remedy = table.get("title"), 'write title = { en = "…", zh-TW = "…" }'
        where = self._where(table, "title", line)
        if not isinstance(titles, dict):
            raise self._error(where, found(table, "title"), remedy)
        for lang in (*LANGS, *titles):
            if not isinstance(titles.get(lang), str) or not titles[lang].strip():
                raise self._error(where, f"title: {found(titles, lang)}", remedy)
        return dict(titles)

    def _basis(self, table: Mapping[str, Any], line: int) -> dict[str, str]:
        """One text for all languages, or one for each."""
        basis = table.get("basis", {})
        texts = dict.fromkeys(LANGS, basis) if isinstance(basis, str) else basis
        if not isinstance(texts, dict) or not all(
            isinstance(texts.get(lang), str) for lang in (*LANGS, *texts) if texts
        ):
            remedy = 'write basis = "…", or basis = { en = "…", zh-TW = "…" }'
            raise self._error(self._where(table, "basis", line), f"basis = {basis!r}", remedy)
        return texts

    def _table(self, name: str) -> dict[str, Any]:
        table = self.content.get(name, {})
        if not isinstance(table, dict):
            raise self._error(self._line_of(name), f"{name} is not a table", f"write [{name}]")
        return table

    def _numbers(self, table: Mapping[str, Any], name: str) -> dict[str, float]:
        values = table.get(name, {})
        if not isinstance(values, dict):
            raise self._error(self._line_of(name), f"{name} is not a table", "write level = number, one a line")
        for key, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise self._error(self._line_of(key), f"{key} = {value!r}", "write a number, 0 or more")
        folded = [key.casefold() for key in values]
        twice = next((key for at, key in enumerate(values) if folded.index(folded[at]) < at), None)
        if twice is not None:
            raise self._error(self._line_of(twice), f"{twice!r} stands here twice, but for case", "keep one of them")
        return {key.casefold(): value for key, value in values.items()}

    # -- complaints ------------------------------------------------------------------------------------------

    def _line_of(self, key: str, *, after: int = 1, table: bool = False) -> int:
        """The first line from `after` on that sets `key` or opens the table of that name; 0 where there is none."""
        name = re.escape(key)
        pattern = re.compile(rf"\s*\[+\s*{name}[\s\].]" if table else rf"""\s*["']?{name}["']?\s*=""")
        return next((n for n, line in enumerate(self.lines, 1) if n >= after and pattern.match(line)), 0)

    def _where(self, table: Mapping[str, Any], key: str, line: int) -> int:
        """The line that sets `key`, or the line of the table that ought to."""
        return (self._line_of(key, after=line) if key in table else 0) or line

    def _error(self, line: int, found: str, remedy: str) -> DataError:
        return DataError(f"{self.origin}:{max(line, 1)}: {found}: {remedy}")


def found(table: Mapping[str, Any], key: str) -> str:
    """What stands under `key`, for a complaint."""
    return f"{key} = {table[key]!r}" if key in table else f"no {key}"
