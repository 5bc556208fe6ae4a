"""The picture of the largest paths, drawn on the server: no script, an accessible title, made to be printed too."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from pathfolio.explain.evidence import Path, PathNode, stable_id
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.picture import CARD_HEIGHT, CARD_WIDTH, Card, Picture, PictureLine, draw
from pathfolio.explain.reasons.case import LEARNED_CHANNELS
from pathfolio.explain.selection import digits_for, diverse
from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.bidi import isolated
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.schema import ASSET_KINDS, UNDATED

SHOWN_PATHS: Final = 7

_INSIDE: Final = CARD_WIDTH - 26
_NAME_SIZE: Final = 13.0
_KIND_SIZE: Final = 11.0
_LABEL_EMS: Final = 13.0
_LABEL_ROW: Final = 13
_BESIDE: Final = 9
_ARROW: Final = 5.5


@dataclass(frozen=True)
class _CardView:
    """A card as the template draws it."""

    x: float
    y: float
    kind: str
    names: tuple[str, ...]
    title: str
    end: bool
    holding: bool
    ref: str
    href: str


@dataclass(frozen=True)
class _LineView:
    """A line as the template draws it; `value` is what the paths on it add, shown where they reach the asset."""

    d: str
    arrow: str
    width: float
    against: bool
    learned: bool
    label: str
    value: str
    title: str
    anchor: str
    label_x: float
    label_y: float
    value_y: float


def as_svg(
    explanation: Explanation,
    lang: str = DEFAULT,
    address: Callable[[PathNode], str] | None = None,
    *,
    is_of_person: bool = False,
) -> Markup:
    """The picture in `lang`; empty where no path carries the score.

    Args:
        address: where each node leads to, empty for nowhere; with it nodes are links, and edges can be gone to by key.

    Raises:
        UsageError: there is no wording in that language.
    """
    words = wording_of(lang, is_of_person)
    paths = diverse(explanation.paths, SHOWN_PATHS)
    if not paths:
        return Markup("")
    picture = draw(paths, LEARNED_CHANNELS)
    names = {"user": explanation.user.label(lang), "asset": explanation.asset.label(lang)}
    return Markup(  # noqa: S704 - the template escapes every value
        _template().render(
            id=stable_id("pf-", explanation.user_id, explanation.asset_id, lang),
            lang=lang,
            own_fonts=words.language.fonts,
            title=words.page("picture", **names),
            description=words.page("picture_desc", n=words.integer(len(paths))),
            width=_round(picture.width),
            height=_round(picture.height),
            card_width=CARD_WIDTH,
            card_height=CARD_HEIGHT,
            linked=address is not None,
            cards=[asdict(_card(card, explanation, words, address)) for card in picture.cards],
            lines=[asdict(line) for line in _lines(picture, paths, words)],
        )
    )


def _card(card: Card, explanation: Explanation, words: Wording, address: Callable[[PathNode], str] | None) -> _CardView:
    node = card.node
    lang = words.lang
    ends = (explanation.user, explanation.asset)
    name = words.you if node == explanation.user else node.label(lang)
    kind = words.kind(node.kind) if node.id is not None else words.page("summed")
    kind = node.label(lang) if node == explanation.user else kind
    detail = f" · {node.detail}" if node.detail else ""
    return _CardView(
        x=_round(card.x),
        y=_round(card.y),
        kind=_short(kind + detail, _INSIDE / _KIND_SIZE),
        names=_wrapped(name, _INSIDE / _NAME_SIZE),
        title=f"{words.kind(node.kind)}{words.language.colon}{node.label(lang)}",
        end=node in ends,
        holding=node.kind in {kind.value for kind in ASSET_KINDS} and card.column == 1,
        ref="" if node.id is None else f"{node.kind}:{node.id}",
        href="" if address is None else address(node),
    )


def _lines(picture: Picture, paths: list[Path], words: Wording) -> list[_LineView]:
    digits = digits_for([path.contribution for path in paths])
    first, last = (end(x for line in picture.lines for x, _ in line.points) for end in (min, max))
    widest_first = sorted(picture.lines, key=lambda line: -line.width)
    return [_line(line, words, digits, first, last) for line in widest_first]


def _line(line: PictureLine, words: Wording, digits: int, first: float, last: float) -> _LineView:
    """The view of a line, where the first column's lines begin at x = `first` and the last column's end at `last`."""
    label = words.relation(line.relation) + ("" if line.weight is None else f" {words.percent(line.weight)}")
    edge = line.edge
    days = (None if day == UNDATED else day for day in (edge.as_of, edge.known_at))
    said = words.edge_said(line.relation, line.weight, edge.source, *days)
    reaches_asset = line.points[-1][0] == last
    value = words.signed(line.value, digits)
    anchor, x, label_y, value_y = _label_place(line, leaves_user=line.points[0][0] == first, reaches=reaches_asset)
    return _LineView(
        d=_curve(line.points),
        arrow=_arrow(line),
        width=_round(line.width),
        against=line.value < 0,
        learned=line.learned,
        label=_short(label, _LABEL_EMS),
        value=value if reaches_asset else "",
        title=f"{said} · {value}",
        anchor=anchor,
        label_x=_round(x),
        label_y=_round(label_y),
        value_y=_round(value_y),
    )


def _label_place(line: PictureLine, *, leaves_user: bool, reaches: bool) -> tuple[str, float, float, float]:
    """Anchor, x, and y of label and value.

    Lines fan out from the investor's card and into the asset's. So labels stand at the other end, where the lines are
    far from each other, on the side to which the line does not bend.
    """
    half = line.width / 2
    points = line.points
    if len(points) > 2 or leaves_user == reaches:
        x, y = _along(points[-3:-1] if len(points) > 2 else points, 0.5)
        return "middle", x, y - half - 4, y + half + _LABEL_ROW
    (x, y), (other_x, other_y) = points if reaches else reversed(points)
    anchor, x = ("start", x + _BESIDE) if other_x > x else ("end", x - _BESIDE - 2 * _ARROW)
    if abs(other_y - y) < _LABEL_ROW:
        return anchor, x, y - half - 5, y + half + _LABEL_ROW
    if other_y > y:
        return anchor, x, y - half - 5 - (_LABEL_ROW if reaches else 0), y - half - 5
    return anchor, x, y + half + _LABEL_ROW + 2, y + half + 2 * _LABEL_ROW + 2


def _curve(points: tuple[tuple[float, float], ...]) -> str:
    """Curves between columns, straight lines within one."""
    x, y = points[0]
    out = [f"M{_round(x)} {_round(y)}"]
    for i, (to_x, to_y) in enumerate(points[1:]):
        if i % 2:
            out.append(f"L{_round(to_x)} {_round(to_y)}")
        else:
            half = (x + to_x) / 2
            out.append(f"C{_round(half)} {_round(y)} {_round(half)} {_round(to_y)} {_round(to_x)} {_round(to_y)}")
        x, y = to_x, to_y
    return " ".join(out)


def _along(points: tuple[tuple[float, float], ...], t: float) -> tuple[float, float]:
    """The point at `t` (0 to 1) of the curve between two points; see `_curve`."""
    (x, y), (to_x, to_y) = points
    rise = 3 * t * t - 2 * t**3
    run = 1.5 * t * (1 - t) + t**3
    return _round(x + (to_x - x) * run), _round(y + (to_y - y) * rise)


def _arrow(line: PictureLine) -> str:
    """A triangle at the end to which the relation points."""
    x, y = line.points[-1] if line.forward else line.points[0]
    size = _ARROW + line.width / 3
    back = x - 1.6 * size if line.forward else x + 1.6 * size
    return f"M{_round(x)} {_round(y)} L{_round(back)} {_round(y - size)} L{_round(back)} {_round(y + size)} Z"


def _fitting(text: str, ems: float) -> int:
    """How many of the first characters are together no wider than that; names may be long, so each is seen once."""
    width = 0.0
    for at, character in enumerate(text):
        width += _em(character)
        if width > ems:
            return at
    return len(text)


def _em(character: str) -> float:
    """About how wide it is in bold type of a wide face, in units of the type's size."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in "mwMW&%@":
        return 1.05
    if character in "iljtfrI.,:;·'’|()- ":
        return 0.42
    return 0.76 if character.isupper() else 0.69


def _short(text: str, ems: float) -> str:
    """`text` no wider than that.

    >>> _short("Taiwan Semiconductor Manufacturing", 11.0)
    'Taiwan Semicon…'
    """
    if _fitting(text, ems) == len(text):
        return text
    return isolated(text[: _fitting(text, ems - 0.8)].rstrip() + "…")


def _wrapped(text: str, ems: float) -> tuple[str, ...]:
    """`text` in at most two lines no wider than that, broken at a space where there is one.

    >>> _wrapped("Heng Ho Taiwan High Dividend ETF", 12.0)
    ('Heng Ho Taiwan', 'High Dividend ETF')
    """
    fits = max(_fitting(text, ems), 1)
    if fits >= len(text):
        return (text,)
    space = text.rfind(" ", 1, fits + 1)
    at = space if space > 0 else fits
    return isolated(text[:at].rstrip()), _short(text[at:].lstrip(), ems)


def _round(value: float) -> float:
    return round(value, 1)


@cache
def _template() -> Template:
    env = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True)
    text = resources.files("pathfolio.explain").joinpath("templates", "picture.svg.j2").read_text(encoding="utf-8")
    return env.from_string(text)
