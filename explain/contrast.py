"""Contrast: why one asset and not another, as the parts of the two scores that differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pathfolio.explain.errors import ExplanationError
from pathfolio.explain.evidence import PathNode
from pathfolio.explain.explanation import TOLERANCE, Explanation
from pathfolio.explain.formats.text import padded, text_width
from pathfolio.explain.selection import digits_for
from pathfolio.explain.wording import wording_of
from pathfolio.kg.languages import DEFAULT


@dataclass(frozen=True)
class Difference:
    """One part of both scores.

    Attributes:
        part: a channel or a base term.
        via: the investor's holding or answer that its paths begin with; None for what lies on no path.
        first, second: what it adds to each score.
    """

    part: str
    via: PathNode | None
    first: float
    second: float

    @property
    def gap(self) -> float:
        """How much more it adds to the first score."""
        return self.first - self.second


@dataclass(frozen=True)
class Contrast:
    """Two explanations for one investor and all parts in which they differ, the largest difference first.

    Raises:
        ExplanationError: the explanations are for two investors, or the differences do not add up.
    """

    first: Explanation
    second: Explanation
    differences: tuple[Difference, ...]

    def __post_init__(self) -> None:
        if self.first.user_id != self.second.user_id:
            raise ExplanationError("two investors cannot be contrasted: name two assets for one investor")
        if abs(sum(d.gap for d in self.differences) - self.gap) > TOLERANCE:
            raise ExplanationError("the differences do not add up to that of the scores: build again")

    @property
    def gap(self) -> float:
        """The difference of the two scores."""
        return self.first.score - self.second.score

    def label(self, difference: Difference, lang: str) -> str:
        """A part with the holding that it goes through; or what of it lies on no path; or a base term."""
        words = wording_of(lang)
        name = words.channel(difference.part)
        via = difference.via
        colon = words.language.colon
        if via is not None:
            return words.page("contrast_via", part=name, via=via.label(lang))
        if difference.part in {channel.name for each in (self.first, self.second) for channel in each.channels}:
            return f"{name}{colon}{words.page('contrast_remainder')}"
        return f"{words.page('base')}{colon}{name}"

    def to_json(self, lang: str = DEFAULT) -> dict[str, Any]:
        """The contrast for machines."""
        return {
            "user_id": self.first.user_id,
            "asset_id": self.first.asset_id,
            "other_asset_id": self.second.asset_id,
            "gap": self.gap,
            "differences": [
                {"part": d.part, "via": d.via and d.via.to_json(lang), "first": d.first, "second": d.second}
                for d in self.differences
            ],
        }


def contrast(first: Explanation, second: Explanation) -> Contrast:
    """Why `first` scores higher (or lower) than `second`."""
    sides = (_parts(first), _parts(second))
    keys = dict.fromkeys((*sides[0], *sides[1]))
    found = [Difference(part, via, sides[0][part, via], sides[1][part, via]) for part, via in keys]
    ordered = sorted((d for d in found if d.gap), key=lambda d: -abs(d.gap))
    return Contrast(first, second, tuple(ordered))


def _parts(explanation: Explanation) -> defaultdict[tuple[str, PathNode | None], float]:
    parts: defaultdict[tuple[str, PathNode | None], float] = defaultdict(float)
    for name, value in explanation.base:
        parts[name, None] += value
    for path in explanation.paths:
        parts[path.channel, path.nodes[1]] += path.contribution
    for channel in explanation.channels:
        parts[channel.name, None] += channel.remainder
    return parts


def contrast_as_text(found: Contrast, lang: str = DEFAULT, *, most: int = 10, is_sample: bool = False) -> str:
    """The `most` largest differences as a table for a terminal; says so where the data are generated.

    Raises:
        UsageError: there is no wording in that language.
    """
    return "\n".join(_lines(found, lang, most, is_sample=is_sample)) + "\n"


def _lines(found: Contrast, lang: str, most: int, *, is_sample: bool) -> Iterator[str]:
    words = wording_of(lang)
    names = [found.first.asset.label(lang), found.second.asset.label(lang)]
    shown = found.differences[:most]
    digits = digits_for([found.first.score, found.second.score, *(d.gap for d in shown)])
    score = [words.number(e.score, digits) for e in (found.first, found.second)]
    yield words.page("contrast", first=names[0], second=names[1], first_score=score[0], second_score=score[1])
    if is_sample:
        yield words.page("sample")
    rows = [(found.label(d, lang), d.first, d.second, d.gap) for d in shown]
    rest = [d.gap for d in found.differences[most:]]
    if rest:
        label = words.page("contrast_rest", n=words.integer(len(rest)))
        tail = found.differences[most:]
        rows.append((label, sum(d.first for d in tail), sum(d.second for d in tail), sum(rest)))
    rows.append((words.page("total"), found.first.score, found.second.score, found.gap))
    heads = (found.first.asset_id, found.second.asset_id, words.page("contrast_gap"))
    width = max(text_width(label) for label, *_ in rows)
    wide = [max(digits + 6, text_width(head)) for head in heads]
    yield f"  {' ' * width}  {'  '.join(' ' * (w - text_width(h)) + h for w, h in zip(wide, heads, strict=True))}"
    for label, *values in rows:
        columns = (f"{words.signed(value, digits):>{w}}" for value, w in zip(values, wide, strict=True))
        yield f"  {padded(label, width)}  {'  '.join(columns)}"
