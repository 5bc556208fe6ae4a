"""An explanation as an HTML fragment: semantic elements with classes for a site's style sheet, all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from pathfolio.explain.evidence import Path, stable_id
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.svg import as_svg
from pathfolio.explain.formats.text import SHOWN_PATHS, fact_line, heading, relation_text, sources_line
from pathfolio.explain.selection import digits_for, diverse
from pathfolio.explain.waterfall import waterfall
from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.languages import DEFAULT


def as_html(
    explanation: Explanation,
    lang: str = DEFAULT,
    *,
    is_sample: bool = False,
    picture: bool = True,
    k: int = 10,
    verdict: Sequence[str] = (),
) -> Markup:
    """The explanation as one `article`, with the path picture unless `picture` is False; `k` as in `as_text`.

    Args:
        verdict: what the suitability rules make of the asset, then what they say against it; none where empty.

    Raises:
        UsageError: there is no wording in that language.
    """
    words = wording_of(lang)
    shown = diverse(explanation.paths, SHOWN_PATHS)
    fall = waterfall(explanation, words)
    title, meta = heading(explanation, words, k, fall.digits)
    context = {
        "id": stable_id("x", explanation.user_id, explanation.asset_id, lang),
        "lang": lang,
        "title": title,
        "meta": meta,
        "page": words.page,
        "sample": words.page("sample") if is_sample else "",
        "verdict": verdict,
        "reasons": explanation.reasons_in(lang),
        "picture": as_svg(explanation, lang) if picture else "",
        "fall": fall,
        "signed": words.signed,
        "total": words.signed(explanation.score, fall.digits),
        "facts": _facts(explanation, words),
    }
    return Markup(_template().render(context | _paths(explanation, shown, words)))  # noqa: S704 - autoescaped


def _paths(explanation: Explanation, shown: list[Path], words: Wording) -> dict[str, Any]:
    digits = digits_for([path.contribution for path in shown])
    known = {path.id for path in shown}
    rest = [path.contribution for path in explanation.paths if path.id not in known]
    more = words.page("more_paths", n=words.integer(len(rest)), value=words.signed(sum(rest), digits)) if rest else ""
    return {"paths": [_path(path, words, digits) for path in shown], "more": more}


def _path(path: Path, words: Wording, digits: int) -> dict[str, Any]:
    hops: list[dict[str, str]] = [{"relation": "", "name": words.you, "kind": path.nodes[0].kind}]
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
