"""An explanation as an HTML fragment: semantic elements with classes for a site's style sheet, all text escaped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from pathfolio.explain.evidence import Path, stable_id
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.svg import as_svg
from pathfolio.explain.formats.text import SHOWN_PATHS, fact_line, heading, relation_text, score_rows, sources_line
from pathfolio.explain.selection import digits_for, diverse
from pathfolio.explain.wording import Wording, wording_of


@dataclass(frozen=True)
class Bar:
    """One row of the waterfall.

    Attributes:
        start, size: where its bar begins and how long it is, in percent of the whole width.
        text: the value with its sign.
    """

    name: str
    value: float
    start: float
    size: float
    text: str


def as_html(
    explanation: Explanation, lang: str = "en", *, is_sample: bool = False, picture: bool = True, k: int = 10
) -> Markup:
    """The explanation as one `article`, with the path picture unless `picture` is False; `k` as in `as_text`.

    Raises:
        UsageError: there is no wording in that language.
    """
    words = wording_of(lang)
    shown = diverse(explanation.paths, SHOWN_PATHS)
    title, meta = heading(explanation, words, k, _digits(explanation, words))
    context = {
        "id": stable_id("x", explanation.user_id, explanation.asset_id, lang),
        "lang": lang,
        "title": title,
        "meta": meta,
        "page": words.page,
        "sample": words.page("sample") if is_sample else "",
        "reasons": explanation.reasons_in(lang),
        "picture": as_svg(explanation, lang) if picture else "",
        "rows": waterfall(explanation, words),
        "total": words.signed(explanation.score, _digits(explanation, words)),
        "facts": _facts(explanation, words),
    }
    return Markup(_template().render(context | _paths(explanation, shown, words)))  # noqa: S704 - autoescaped


def waterfall(explanation: Explanation, words: Wording) -> list[Bar]:
    """The score's parts in order, each bar beginning where the one before it ends."""
    rows, digits = score_rows(explanation, words), _digits(explanation, words)
    ends = [0.0]
    for _, value in rows:
        ends.append(ends[-1] + value)
    low, width = min(ends), (max(ends) - min(ends)) or 1.0
    return [
        Bar(
            name=name,
            value=value,
            start=round(100 * (min(start, start + value) - low) / width, 2),
            size=round(100 * abs(value) / width, 2),
            text=words.signed(value, digits),
        )
        for (name, value), start in zip(rows, ends, strict=False)
    ]


def _digits(explanation: Explanation, words: Wording) -> int:
    return digits_for([explanation.score, *(value for _, value in score_rows(explanation, words))])


def _paths(explanation: Explanation, shown: list[Path], words: Wording) -> dict[str, Any]:
    digits = digits_for([path.contribution for path in shown])
    known = {path.id for path in shown}
    rest = [path.contribution for path in explanation.paths if path.id not in known]
    more = words.page("more_paths", n=words.integer(len(rest)), value=words.signed(sum(rest), digits)) if rest else ""
    return {"paths": [_path(path, words, digits) for path in shown], "more": more}


def _path(path: Path, words: Wording, digits: int) -> dict[str, Any]:
    hops: list[dict[str, str]] = [{"relation": "", "name": str(words.words["you"]), "kind": path.nodes[0].kind}]
    for step, node in enumerate(path.nodes[1:]):
        hops.append({"relation": relation_text(path, step, words), "name": node.label(words.lang), "kind": node.kind})
    return {
        "id": path.id,
        "against": path.contribution < 0,
        "value": words.signed(path.contribution, digits),
        "channel": words.channel(path.channel),
        "hops": hops,
        "sources": sources_line(path, words),
    }


def _facts(explanation: Explanation, words: Wording) -> list[dict[str, str]]:
    cited = {key for reason in explanation.reasons_in(words.lang) for key in reason.evidence}
    return [{"id": f.id, "text": fact_line(f, words)} for f in explanation.facts if f.id in cited]


@cache
def _template() -> Template:
    env = Environment(undefined=StrictUndefined, autoescape=True)
    text = resources.files("pathfolio.explain").joinpath("templates", "explanation.html").read_text(encoding="utf-8")
    return env.from_string(text)
