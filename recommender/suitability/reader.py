"""A TOML file being read: typed values, and complaints that name the line and the remedy."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pathfolio.kg.errors import DataError
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.languages.names import Names


@dataclass(frozen=True)
class TomlFile:
    """One file: its text is kept so that each complaint can name a line.

    Attributes:
        origin: how complaints call it.
    """

    origin: str
    text: str
    content: dict[str, Any]

    @classmethod
    def parse(cls, raw: bytes, origin: str) -> TomlFile:
        """The file with these bytes; raises DataError for what is no TOML."""
        try:
            text = raw.decode("utf-8")
            return cls(origin, text, tomllib.loads(text))
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise DataError(f"{origin}:{line}: not UTF-8: save the file as UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            raise DataError(_not_toml(origin, str(error), text)) from None

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.splitlines()

    @property
    def top(self) -> TomlTable:
        """What stands before the first header."""
        return TomlTable(self, self.content, 0)

    def table(self, name: str) -> TomlTable:
        """The table of that name; an empty one where there is none."""
        values = self.content.get(name, {})
        if not isinstance(values, dict):
            raise self.error(self.line_of(name), f"{name} is not a table", f"write [{name}]")
        return TomlTable(self, values, self.line_of(name, is_table=True))

    def entries(self, name: str) -> Iterator[TomlTable]:
        """The tables of the array of that name, in their order."""
        entries = self.content.get(name, [])
        if not isinstance(entries, list):
            raise self.error(self.line_of(name, is_table=True), f"[{name}] is one table", f"write [[{name}]]")
        header = re.compile(rf"\s*\[\[\s*{name}\s*\]\]")
        if not all(isinstance(entry, dict) for entry in entries):
            raise self.error(self.line_of(name), f"{name} is no list of tables", f"write [[{name}]]")
        lines = [number for number, line in enumerate(self.lines, 1) if header.match(line)]
        for at, entry in enumerate(entries):
            yield TomlTable(self, entry, lines[at] if at < len(lines) else 1)

    def line_of(self, key: str, *, after: int = 1, is_table: bool = False) -> int:
        """The first line from `after` on that sets `key` or opens the table of that name; 0 where there is none."""
        name = re.escape(key)
        pattern = re.compile(rf"\s*\[+\s*{name}[\s\].]" if is_table else rf"""\s*["']?{name}["']?\s*=""")
        return next((n for n, line in enumerate(self.lines, 1) if n >= after and pattern.match(line)), 0)

    def error(self, line: int, said: str, remedy: str) -> DataError:
        """A complaint: where, what stands there, and what to write instead."""
        return DataError(f"{self.origin}:{max(line, 1)}: {said}: {remedy}")


@dataclass(frozen=True)
class TomlTable:
    """One table of a file. Each method gives the value under a key, or raises DataError for what it may not be.

    Attributes:
        line: of its header; 0 for what stands before all headers.
    """

    file: TomlFile
    values: dict[str, Any]
    line: int

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(key, self.said(key), f'write {key} = "…"')
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts; an empty one where there is none."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.error(key, f"{key} = {values!r}", f'write {key} = ["…", "…"]')
        return values

    def one_of(self, key: str, allowed: tuple[str, ...], default: str | None) -> str:
        """One of some words."""
        value = self.values.get(key, default)
        if value is None or (key in self.values and value not in allowed):
            raise self.error(key, self.said(key), f"use one of {', '.join(allowed)}")
        return str(value)

    def fraction(self, key: str, default: float | None) -> float:
        """A fraction above 0 and up to 1."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise self.error(key, self.said(key), "write a fraction above 0 and up to 1, such as 0.1")
        return float(value)

    def whole(self, key: str, default: int | None, least: int = 0) -> int:
        """A whole number, `least` or more."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.error(key, self.said(key), f"write a whole number, {least} or more")
        return value

    def names(self, key: str) -> Names:
        """A text in English, told in other languages where they translate it, or texts by language."""
        return self._names(key, self.values.get(key))

    def names_if_any(self, key: str) -> Names | None:
        """As `names`; None where nothing, or nothing but empty texts, stands there."""
        given = self.values.get(key, "")
        told = {lang: text for lang, text in given.items() if text != ""} if isinstance(given, dict) else given
        return None if told in ("", {}) else self._names(key, told)

    def _names(self, key: str, given: object) -> Names:
        if isinstance(given, str) and given.strip():
            return Names.translated(given, "rules")
        remedy = f'write {key} = "…", or by language {key} = {{ {DEFAULT} = "…" }}'
        if not isinstance(given, dict) or not given:
            raise self.error(key, self.said(key), remedy)
        for lang, text in given.items():
            if not isinstance(text, str) or not text.strip():
                raise self.error(key, f"{key}: {_said(given, lang)}", remedy)
        return Names(given)

    def numbers(self, name: str) -> dict[str, float]:
        """The table of that name in this one: names, in lower case, to numbers."""
        values = self.values.get(name, {})
        file = self.file
        if not isinstance(values, dict):
            raise file.error(file.line_of(name), f"{name} is not a table", "write level = number, one a line")
        for key, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise file.error(file.line_of(key), f"{key} = {value!r}", "write a number, 0 or more")
        folded = [key.casefold() for key in values]
        twice = next((key for at, key in enumerate(values) if folded.index(folded[at]) < at), None)
        if twice is not None:
            raise file.error(file.line_of(twice), f"{twice!r} stands here twice, but for case", "keep one of them")
        return {key.casefold(): value for key, value in values.items()}

    # -- complaints ------------------------------------------------------------------------------------------

    def check_keys(self, known: Iterable[str]) -> None:
        """Refuse keys that are not among `known`."""
        names = set(known)
        file = self.file
        for key in self.values:
            if key not in names:
                at = file.line_of(key, after=self.line) or file.line_of(key, after=self.line, is_table=True)
                raise file.error(at or self.line, f"{key!r} is not known here", f"use {', '.join(sorted(names))}")

    def said(self, key: str) -> str:
        """What stands under `key`, for a complaint."""
        return _said(self.values, key)

    def error(self, key: str, said: str, remedy: str) -> DataError:
        """A complaint about what stands under `key`, or ought to stand in this table."""
        line = self.file.line_of(key, after=self.line) if key in self.values else 0
        return self.file.error(line or self.line, said, remedy)


def _said(values: dict[str, Any], key: str) -> str:
    return f"{key} = {values[key]!r}" if key in values else f"no {key}"


def _not_toml(origin: str, message: str, text: str) -> str:
    found = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)", message)
    line = 1 if found is None else int(found[1] or len(text.splitlines()) or 1)
    what = message if found is None else message[: found.start()]
    column = f" at column {found[2]}" if found is not None and found[2] else ""
    return f"{origin}:{line}: not valid TOML{column}: {what[:1].lower()}{what[1:]}: correct this line"
