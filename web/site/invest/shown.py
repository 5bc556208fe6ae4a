"""A portfolio before and after as the site shows it: figures side by side, and mixes as pairs of bars."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.wording import Wording
from pathfolio.recommender.portfolio.book import BeforeAndAfter
from pathfolio.recommender.portfolio.figures import PortfolioFigures
from pathfolio.recommender.portfolio.mix import UNKNOWN, Mix
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.texts import Texts

SHOWN_PARTS: Final = 6

FIGURES: Final = ("annual_return", "volatility", "sharpe", "max_drawdown", "value_at_risk")
"""In the order in which they are shown."""


@dataclass(frozen=True)
class FigureRow:
    """One figure of the portfolio now and after the purchase; None where it is not known.

    Attributes:
        is_ratio: whether it is no fraction.
        limit: what it should not be above, None where nothing is said.
    """

    name: str
    before: float | None
    after: float | None
    is_ratio: bool
    limit: float | None

    def text(self, value: float | None, words: Wording) -> str:
        """A value as it is written."""
        if value is None:
            return "–"
        return words.number(value, 2) if self.is_ratio else words.percent(value)

    def change(self, words: Wording) -> str:
        """From before to after as they are written, so that a reader may check it; in points where it is a fraction."""
        if self.before is None or self.after is None:
            return "–"
        scale, digits = (1, 2) if self.is_ratio else (100, 1)
        before, after = round(scale * self.before, digits), round(scale * self.after, digits)
        return words.signed(after - before, digits)


@dataclass(frozen=True)
class ShownPart:
    """One group of a mix; bars are in percent of the width."""

    name: str
    before: float
    after: float


@dataclass(frozen=True)
class ShownMix:
    """A mix by one kind of group; `more` groups beyond those shown make up the rest."""

    group: str
    parts: tuple[ShownPart, ...]
    more: int
    more_before: float
    more_after: float


def labels(nodes: Iterable[PathNode], words: Wording) -> str:
    """Names in the reader's language, one after the other."""
    return words.language.comma.join(node.label(words.lang) for node in nodes)


def limit_names(names: Iterable[str], texts: Texts) -> str:
    """What limits are called, one after the other."""
    return texts.words.language.comma.join(texts.say(f"limit_{name}") for name in names)


def figure_rows(found: BeforeAndAfter, highest: float | None) -> tuple[FigureRow, ...]:
    """The figures side by side."""

    def of(figures: PortfolioFigures | None, name: str) -> float | None:
        return None if figures is None else getattr(figures, name)

    return tuple(
        FigureRow(
            name,
            of(found.before, name),
            of(found.after, name),
            name == "sharpe",
            highest if name == "volatility" else None,
        )
        for name in FIGURES
    )


def shown_mixes(site: ServedBuild, found: BeforeAndAfter, texts: Texts) -> tuple[ShownMix, ...]:
    """The mixes with names in the reader's language."""
    return tuple(_shown(site, mix, texts) for mix in found.mixes)


def _shown(site: ServedBuild, mix: Mix, texts: Texts) -> ShownMix:
    parts = tuple(ShownPart(_name(site, mix.group, p.name, texts), p.before, p.after) for p in mix.parts[:SHOWN_PARTS])
    rest = mix.parts[SHOWN_PARTS:]
    return ShownMix(mix.group, parts, len(rest), sum(p.before for p in rest), sum(p.after for p in rest))


def _name(site: ServedBuild, group: str, name: str, texts: Texts) -> str:
    if name == UNKNOWN:
        return texts.say("mix_unknown")
    if group == "class":
        return texts.say(f"mix_{name}")
    return site.called(group, name, texts.lang)
