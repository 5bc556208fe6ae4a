"""Why this asset and not that one; and what would take it off the list, or bring it on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Final

from flask import Blueprint
from msgspec import Meta

from pathfolio.explain.contrast import Contrast, contrast
from pathfolio.explain.evidence import PathNode
from pathfolio.explain.records.adviser import Advice
from pathfolio.explain.selection import digits_for
from pathfolio.explain.what_if_text import tell
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts, is_of_another
from pathfolio.web.site.pages.investors import asset_row, check_kind, investor_row
from pathfolio.web.site.pages.recommendations import Checked, checked_of
from pathfolio.web.site.parameters import AssetId, InvestorId, KindOfAsset
from pathfolio.web.site.recorded import ask
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.view import view

MOST_DIFFERENCES: Final = 10

blueprint = Blueprint("why", __name__)

OtherAsset = Annotated[str, Meta(max_length=200, description="the other asset, by name, code or id")]


@dataclass(frozen=True)
class DifferenceLine:
    """A part of both scores; `gap` is how much more it adds to the first one."""

    label: str
    first: float
    second: float
    gap: float


@dataclass(frozen=True)
class InsteadOf:
    """Two assets for one investor: the largest differences, and what the rest comes to.

    Attributes:
        rest: of `more` parts that are not listed.
        verdicts: of the suitability rules on the two.
        ranks: their places in the list; 0 for none.
    """

    investor: PathNode
    first: PathNode
    second: PathNode | None
    scores: tuple[float, float]
    ranks: tuple[int, int]
    verdicts: tuple[str, str]
    lines: tuple[DifferenceLine, ...]
    more: int
    rest: DifferenceLine | None
    digits: int


@dataclass(frozen=True)
class InsteadOfPage(Page):
    """`asked` is what was searched for, `second` of what was found None where there is no such asset."""

    template: ClassVar[str] = "instead_of.html"
    found: InsteadOf
    asked: str
    kind: str | None

    def twin(self) -> InsteadOf:
        """The difference."""
        return self.found


@dataclass(frozen=True)
class WhatWouldChange:
    """What would move the asset, as a sentence.

    Attributes:
        takes_off: whether it would leave the list, not come onto it.
        is_smallest: no smaller change does it.
        scored: how many changed investors were scored to find it.
    """

    investor: PathNode
    asset: PathNode
    text: str
    takes_off: bool
    found: bool
    is_smallest: bool
    scored: int


@dataclass(frozen=True)
class ChangesPage(Page):
    """What would take the asset off the list, or bring it there."""

    template: ClassVar[str] = "changes.html"
    found: WhatWouldChange
    kind: str | None

    def twin(self) -> WhatWouldChange:
        """What would."""
        return self.found


@blueprint.get("/investors/<id:user_id>/assets/<id:asset_id>/instead-of")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def instead_of(
    user_id: InvestorId, asset_id: AssetId, other: OtherAsset = "", kind: KindOfAsset | None = None
) -> InsteadOfPage:
    """Why an asset and not another one: the parts in which their scores differ, the largest first.

    Both answers are recorded, or the one where no other asset was found.
    """
    site = served()
    row = investor_row(site.graph, user_id)
    first = site.names.node(asset_row(site.graph, asset_id))
    check_kind(site, kind)
    second = _found(site, other, asset_id)
    of_another = is_of_another()
    checked = partial(checked_of, site.desk.adviser.rules, current_texts().lang, of_another)

    def answer(asset: str) -> Checked:
        return ask("explanation", checked, user_id, kind=kind, asset_id=asset, of_another=of_another).view

    theirs = answer(str(second.id)) if second is not None else None
    own = answer(asset_id)  # the last one asked is the record that the answer names
    if theirs is None:
        nothing = InsteadOf(site.names.node(row), first, None, (0.0, 0.0), (0, 0), ("", ""), (), 0, None, 3)
        return InsteadOfPage(nothing, other, kind)
    found = contrast(own.explanation, theirs.explanation)
    return InsteadOfPage(_told(found, site.names.node(row), (own.verdict, theirs.verdict)), other, kind)


def _found(site: ServedBuild, other: str, than: str) -> PathNode | None:
    """What the words fit best, other than the asset itself."""
    rows, _ = site.assets.find(other, 2) if other.strip() else ([], 0)
    nodes = [site.names.node(row) for row in rows]
    return next((node for node in nodes if node.id != than), None)


def _told(found: Contrast, investor: PathNode, verdicts: tuple[str, str]) -> InsteadOf:
    lang = current_texts().lang
    shown, tail = found.differences[:MOST_DIFFERENCES], found.differences[MOST_DIFFERENCES:]
    lines = tuple(DifferenceLine(found.label(d, lang), d.first, d.second, d.gap) for d in shown)
    sums = (sum(d.first for d in tail), sum(d.second for d in tail), sum(d.gap for d in tail))
    return InsteadOf(
        investor,
        found.first.asset,
        found.second.asset,
        (found.first.score, found.second.score),
        (found.first.rank, found.second.rank),
        verdicts,
        lines,
        len(tail),
        DifferenceLine("", *sums) if tail else None,
        digits_for([found.first.score, found.second.score, *(d.gap for d in shown)]),
    )


@blueprint.get("/investors/<id:user_id>/assets/<id:asset_id>/changes")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def changes(user_id: InvestorId, asset_id: AssetId, kind: KindOfAsset | None = None) -> ChangesPage:
    """What would take an asset off an investor's list, or bring it there: the fewest positions and answers.

    The answer is recorded.
    """
    site = served()
    investor_row(site.graph, user_id)
    asset_row(site.graph, asset_id)
    check_kind(site, kind)
    found = ask("changes", partial(_changes, current_texts().lang), user_id, kind=kind, asset_id=asset_id,
                counterfactual=True).view  # fmt: skip
    return ChangesPage(found, kind)


def _changes(lang: str, advice: Advice) -> WhatWouldChange:
    change = advice.change
    if change is None:
        raise AssertionError("what would move the asset was asked for")
    explanation = advice.explanations[0]
    text = tell(change, served().desk.adviser.what_if_model(advice.question), lang)
    there = change.change is not None
    return WhatWouldChange(
        explanation.user, explanation.asset, text, change.takes_off, there, change.is_smallest, change.scored
    )
