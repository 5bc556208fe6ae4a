"""An explanation as text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from pathfolio.explain.evidence import Fact, Path, PathEdge
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.selection import digits_for, diverse
from pathfolio.explain.waterfall import score_parts
from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.schema import RELATIONS, UNDATED, Role, columns_of

SHOWN_PATHS: Final = 8
_LONGEST_BAR: Final = 24
_SHORTEST_BAR: Final = 8
_WIDTH: Final = 100
_LEVELS: Final = columns_of(Role.PROFILE)
"""Metrics whose values are levels with a name in each language."""


def as_text(explanation: Explanation, lang: str = DEFAULT, *, is_sample: bool = False, k: int = 10) -> str:
    """The explanation in `lang`: reasons, how the score adds up, and the largest paths with their sources.

    Args:
        k: length of the list; beyond it nothing is said to be recommended.

    Raises:
        UsageError: there is no wording in that language.
    """
    words = wording_of(lang)
    parts = [
        _head(explanation, words, k, is_sample=is_sample),
        _reasons(explanation, words),
        _score(explanation, words),
        _paths(explanation, words),
        _facts(explanation, words),
    ]
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"


def _head(explanation: Explanation, words: Wording, k: int, *, is_sample: bool) -> Iterator[str]:
    title, meta = heading(explanation, words, k, digits_for([explanation.score]))
    yield title
    yield f"{meta} · {words.page('build', build=explanation.build[:12])}"
    if is_sample:
        yield words.page("sample")


def heading(explanation: Explanation, words: Wording, k: int, digits: int) -> tuple[str, str]:
    """Title, and rank, score and day: why it is recommended, or, not among the first `k`, what it scores."""
    form = "_off" if not explanation.rank else "_below" if explanation.rank > k else ""
    names = {"asset": explanation.asset.label(words.lang), "user": explanation.user.label(words.lang)}
    score = words.number(explanation.score, digits)
    day = words.day(explanation.as_of)
    meta = words.page(f"meta{form}", rank=explanation.rank, k=k, score=score, date=day)
    return words.page("title_off" if form else "title", **names), meta


def _reasons(explanation: Explanation, words: Wording) -> Iterator[str]:
    reasons = explanation.reasons_in(words.lang)
    yield words.page("reasons")
    for reason in reasons:
        yield from _wrapped(reason.text, "  ! " if reason.is_caution else "  • ", "    ")
    if not reasons:
        yield from _wrapped(words.page("no_reasons"), "  ", "  ")


def _score(explanation: Explanation, words: Wording) -> Iterator[str]:
    rows = [(part.title, part.value) for part in score_parts(explanation, words)]
    digits = digits_for([explanation.score, *(value for _, value in rows)])
    largest = max((abs(value) for _, value in rows), default=0.0) or 1.0
    width = max(text_width(name) for name, _ in [*rows, (words.page("total"), 0.0)])
    longest = max(_SHORTEST_BAR, min(_LONGEST_BAR, _WIDTH - width - digits - 12))
    yield words.page("score")
    for name, value in rows:
        bar = ("█" if value >= 0 else "░") * round(longest * abs(value) / largest)
        yield f"  {padded(name, width)}  {words.signed(value, digits):>{digits + 6}}  {bar}".rstrip()
    yield f"  {padded(words.page('total'), width)}  {words.signed(explanation.score, digits):>{digits + 6}}"


def _paths(explanation: Explanation, words: Wording) -> Iterator[str]:
    yield words.page("paths")
    if not explanation.paths:
        yield from _wrapped(words.page("no_paths"), "  ", "  ")
        return
    shown = diverse(explanation.paths, SHOWN_PATHS)
    digits = digits_for([path.contribution for path in shown])
    for path in shown:
        lead = f"  {words.signed(path.contribution, digits)}  "
        yield from _wrapped(path_line(path, words), lead, " " * len(lead))
        yield from _wrapped(sources_line(path, words), " " * len(lead), " " * len(lead))
    rest = [path for path in explanation.paths if path not in shown]
    if rest:
        value = words.signed(sum(path.contribution for path in rest), digits)
        yield "  " + words.page("more_paths", n=words.integer(len(rest)), value=value)


def path_line(path: Path, words: Wording) -> str:
    """A path in one line; an arrow points from the head of an edge to its tail.

    Example: You ─holds→ TSMC ←holds─ 12 other investors ─holds→ MediaTek
    """
    out = [words.you]
    for step, node in enumerate(path.nodes[1:]):
        out += [relation_text(path, step, words), node.label(words.lang)]
    return " ".join(out)


def relation_text(path: Path, step: int, words: Wording) -> str:
    """One edge with its weight, as an arrow from its head to its tail."""
    edge = path.edges[step]
    said = words.relation(edge.relation, edge.head is None) + (
        "" if edge.weight is None else f" {words.percent(edge.weight)}"
    )
    return f"─{said}→" if path.walks_forward(step) else f"←{said}─"


def sources_line(path: Path, words: Wording) -> str:
    """Who said so, and of what day, once for each source and day."""
    said = dict.fromkeys(source_of(edge, words) for edge in path.edges)
    opening, closing = words.language.brackets
    return (
        f"{opening.lstrip()}{words.page('source')}{words.language.colon}{words.language.semicolon.join(said)}{closing}"
    )


def _facts(explanation: Explanation, words: Wording) -> Iterator[str]:
    cited = {key for reason in explanation.reasons_in(words.lang) for key in reason.evidence}
    facts = [fact for fact in explanation.facts if fact.id in cited]
    if facts:
        yield words.page("facts")
    for fact in facts:
        yield from _wrapped(fact_line(fact, words), "  ", "    ")


def fact_line(fact: Fact, words: Wording) -> str:
    """A fact with its value, unit, source and date."""
    opening, closing = words.language.brackets
    said = f"{words.metric(fact.metric)}{words.language.colon}{fact_value(fact, words)}"
    return f"{said}{opening}{source_of(fact, words)}{closing}"


def fact_value(fact: Fact, words: Wording) -> str:
    """A fact's value with its unit, fractions as percentages, ratios as they are."""
    if isinstance(fact.value, str):
        relation = _LEVELS.get(fact.metric)
        kind = RELATIONS[relation].tails[0] if relation is not None else ""
        return local_label(kind, fact.value, words.lang)
    if fact.unit == "fraction":
        return words.percent(fact.value, 2)
    number = f"{'−' if fact.value < 0 else ''}{abs(fact.value):,.6g}"
    return f"{number} {'' if fact.unit == 'ratio' else words.unit(fact.unit)}".rstrip()


def source_of(said: Fact | PathEdge, words: Wording) -> str:
    """Who said so, and of what day."""
    day = words.page("undated") if said.as_of == UNDATED else said.as_of.isoformat()
    return f"{words.source(said.source)}{words.language.clause}{day}"


# -- columns of a terminal -----------------------------------------------------------------------------------


def text_width(text: str) -> int:
    """Columns that `text` takes in a terminal; Chinese characters take two.

    >>> text_width("TSMC"), text_width("台積電")
    (4, 6)
    """
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(text: str, width: int) -> str:
    """`text` with spaces up to `width` columns."""
    return text + " " * (width - text_width(text))


def _wrapped(text: str, first: str, then: str) -> Iterator[str]:
    """Lines of at most `_WIDTH` columns, broken at spaces or between Chinese characters."""
    line = first
    used = text_width(first)
    for piece in _pieces(text):
        if used + text_width(piece.rstrip()) > _WIDTH and line.strip():
            yield line.rstrip()
            line = then
            used = text_width(then)
        line += piece
        used += text_width(piece)
    yield line.rstrip()


_NOT_FIRST: Final = frozenset("，。；：、」）%")


def _pieces(text: str) -> Iterator[str]:
    """Words with the space after them, and single wide characters with the closing marks after them."""
    piece = ""
    for letter, following in zip(text, [*text[1:], " "], strict=True):
        piece += letter
        wide = unicodedata.east_asian_width(letter) in "WF" or unicodedata.east_asian_width(following) in "WF"
        if letter == " " or (wide and following not in _NOT_FIRST and letter not in "「（"):
            yield piece
            piece = ""
    if piece:
        yield piece
