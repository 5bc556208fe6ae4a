"""One recommendation: why this asset for this investor, with all of its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from flask import Blueprint

from pathfolio.explain.evidence import Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.text import heading
from pathfolio.explain.records.adviser import Advice, Question
from pathfolio.explain.records.verdict_text import look_of, result_text, title_for_investor
from pathfolio.explain.speech import reasons_of_person
from pathfolio.explain.wording import Wording
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.invest.trend_lines import USUAL_MONTHS, DrawnTrend, Months, drawn_trend
from pathfolio.web.site.language import current_texts, is_of_another
from pathfolio.web.site.pages.investors import asset_row, check_kind, investor_row
from pathfolio.web.site.parameters import AssetId, InvestorId, KindOfAsset
from pathfolio.web.site.prices import PriceHistory
from pathfolio.web.site.recorded import ask
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.view import view

blueprint = Blueprint("recommendations", __name__)


@dataclass(frozen=True)
class Check:
    """What one suitability rule found: `outcome` may be unknown, `effect` is what that counts as, `look` its colour."""

    title: str
    outcome: str
    effect: str
    look: str
    text: str


@dataclass(frozen=True)
class Checked:
    """An explanation with the verdict of the suitability rules: the gravest effect, and every rule's finding."""

    explanation: Explanation
    verdict: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class RecommendationPage(Page):
    """`kind` is the kind of asset among which `explanation.rank` counts, None for all.

    Attributes:
        trend: as on an asset's page.
    """

    template: ClassVar[str] = "recommendation.html"
    explanation: Explanation
    verdict: str
    checks: tuple[Check, ...]
    kind: str | None
    price: PriceHistory | None
    trend: DrawnTrend | None
    asked_months: int

    def heading(self, words: Wording, digits: int) -> tuple[str, str]:
        """Title, and rank, score and day."""
        return heading(self.explanation, words, Question.k, digits)

    def reasons(self, words: Wording) -> tuple[Reason, ...]:
        """As they were said to the investor, or of the investor."""
        explained = self.explanation
        return (reasons_of_person if words.is_of_person else Explanation.reasons_in)(explained, words.lang)

    def twin(self) -> Explanation:
        """The explanation alone, as `pathfolio explain --format json` prints it, with reasons in all languages."""
        return self.explanation


@blueprint.get("/investors/<id:user_id>/assets/<id:asset_id>")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def recommendation(
    user_id: InvestorId, asset_id: AssetId, kind: KindOfAsset | None = None, months: Months = USUAL_MONTHS
) -> RecommendationPage:
    """Why an asset has its score for an investor.

    As `pathfolio explain --format json` prints it. The rank is 0 where the asset is held or not suitable.
    """
    site = served()
    investor_row(site.graph, user_id)
    row = asset_row(site.graph, asset_id)
    check_kind(site, kind)
    of_another = is_of_another()
    checked = partial(checked_of, site.desk.adviser.rules, current_texts().lang, of_another)
    found = ask("explanation", checked, user_id, kind=kind, asset_id=asset_id, of_another=of_another).view
    trend = drawn_trend(site, row, months)
    return RecommendationPage(found.explanation, found.verdict, found.checks, kind, site.price_of(row), trend, months)


def checked_of(rules: RuleSet, lang: str, of_another: bool, advice: Advice) -> Checked:
    """The explanation of an answer about one asset, with what every rule found."""
    verdict = advice.verdicts[0]
    checks = [
        Check(
            rule.title[lang] if of_another else title_for_investor(rule.kind, rule.title[lang], lang),
            found.outcome.word,
            found.effect.word,
            look_of(found),
            result_text(found, lang, to_investor=not of_another),
        )
        for rule, found in zip(rules.rules, served().in_language(verdict, lang).results, strict=True)
    ]
    return Checked(advice.explanations[0], verdict.state, tuple(checks))
