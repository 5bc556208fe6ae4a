"""How a locale writes numbers and days, and how they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from babel.dates import get_date_format, get_month_names
from babel.numbers import get_decimal_symbol, get_group_symbol

from pathfolio.explain.checker.said import Rounded


@dataclass(frozen=True)
class NumberForm:
    """Numbers of a locale.

    >>> NumberForm("en").read("6.23%"), NumberForm("en").read_whole("1,312")
    (Rounded(value=0.0623, slack=5e-05), 1312)
    """

    locale: str

    @cached_property
    def whole(self) -> str:
        """The pattern of a count."""
        return rf"[\d{re.escape(get_group_symbol(self.locale))}]+"

    @cached_property
    def decimal(self) -> str:
        """The pattern of a number with decimals."""
        return rf"[−-]?{self.whole}{re.escape(get_decimal_symbol(self.locale))}\d+"

    @cached_property
    def percent(self) -> str:
        """The pattern of a percentage."""
        return rf"[−-]?{self.whole}(?:{re.escape(get_decimal_symbol(self.locale))}\d+)?%"

    def read_whole(self, text: str) -> int | None:
        """A count; None where the text holds no digit."""
        digits = text.replace(get_group_symbol(self.locale), "")
        return int(digits) if digits else None

    def read(self, text: str) -> Rounded | None:
        """A number and how far from it the true one may be: half a unit of its last digit."""
        plain = text.replace(get_group_symbol(self.locale), "").replace("−", "-").removesuffix("%")
        whole, _, digits = plain.partition(get_decimal_symbol(self.locale))
        if not whole.strip("-"):
            return None
        scale = 100.0 if text.endswith("%") else 1.0
        return Rounded(float(f"{whole}.{digits or 0}") / scale, 0.5 * 10.0 ** -len(digits) / scale)


@dataclass(frozen=True)
class DayForm:
    """Days of a locale, written out.

    >>> str(DayForm("en").read("June 30, 2026")), str(DayForm("zh_Hant_TW").read("2026年6月30日"))
    ('2026-06-30', '2026-06-30')
    >>> DayForm("en").read("May 32, 2026") is None
    True
    """

    locale: str

    @cached_property
    def _months(self) -> dict[str, int]:
        return {name: month for month, name in get_month_names("wide", locale=self.locale).items()}

    @cached_property
    def _groups(self) -> str:
        """The locale's pattern with a group for each part: MMMM d, y in CLDR's letters."""
        names = "|".join(map(re.escape, self._months))
        parts = {
            "MMMM": f"(?P<name>{names})",
            "M": r"(?P<month>\d{1,2})",
            "d": r"(?P<day>\d{1,2})",
            "y": r"(?P<year>\d{4})",
        }
        tokens = re.split(r"(M+|d+|y+)", get_date_format("long", locale=self.locale).pattern)
        return "".join(parts[token] if token in parts else re.escape(token.replace("'", "")) for token in tokens)

    @cached_property
    def shape(self) -> str:
        """The pattern of a day, without groups."""
        return re.sub(r"\(\?P<\w+>", "(?:", self._groups)

    def read(self, text: str) -> date | None:
        """The day; None where there is no such day."""
        match = re.fullmatch(self._groups, text)
        if match is None:
            return None
        found = match.groupdict()
        month = self._months[found["name"]] if "name" in found else int(found["month"])
        try:
            return date(int(found["year"]), month, int(found["day"]))
        except ValueError:
            return None
