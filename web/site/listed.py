"""A list as the site shows it: its lines, what the suitability rules say against them, and what they passed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import NEW_DAYS
from pathfolio.explain.records.adviser import Advice
from pathfolio.explain.records.verdict_text import verdict_text, warnings_of
from pathfolio.kg.graph import NO_DAY, KnowledgeGraph, to_date, to_days
from pathfolio.kg.span import Row
from pathfolio.web.site.families import Share, shares_of
from pathfolio.web.site.parameters import Place, VerdictWord
from pathfolio.web.site.served import ServedBuild

SHOWN_REASONS: Final = 3
SHOWN_PASSED_OVER: Final = 5


@dataclass(frozen=True)
class ListLine:
    """One recommended asset.

    Attributes:
        listed: the day it came to market, where that was less than 90 days ago.
        shares: what the families of channels add to the score.
        warnings: what they say against it, beside `Advised.warnings`.
    """

    rank: Place
    asset: PathNode
    score: float
    reasons: tuple[Reason, ...]
    listed: date | None
    shares: tuple[Share, ...]
    verdict: VerdictWord
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class PassedOver:
    """An asset that the score would have listed at `place`, and why the suitability rules did not let it through."""

    place: int
    asset: PathNode
    why: tuple[str, ...]


@dataclass(frozen=True)
class Advised:
    """A list as it is shown.

    Attributes:
        warnings: what the suitability rules say against every line.
        passed_over: the first of those that the rules did not let through, with `more_passed_over` beside them.
    """

    lines: tuple[ListLine, ...]
    warnings: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int


def advised(site: ServedBuild, lang: str, advice: Advice) -> Advised:
    """The list of an answer."""
    common, of_lines = warnings_of(advice.verdicts, lang)
    lines = tuple(
        _line(site, lang, explanation, verdict.state, texts)
        for explanation, verdict, texts in zip(advice.explanations, advice.verdicts, of_lines, strict=True)
    )
    return Advised(lines, common, *_passed_over(site, lang, advice))


def _passed_over(site: ServedBuild, lang: str, advice: Advice) -> tuple[tuple[PassedOver, ...], int]:
    """The first of those that the rules did not let through, and how many more there are."""
    found = tuple(
        PassedOver(
            each.place,
            site.names.node(site.graph.asset_row(each.asset_id)),
            tuple(verdict_text(each.verdict.results, lang, to_investor=True)),
        )
        for each in advice.rejected[:SHOWN_PASSED_OVER]
    )
    return found, len(advice.rejected) - len(found)


def _line(site: ServedBuild, lang: str, explanation: Explanation, verdict: str, warnings: tuple[str, ...]) -> ListLine:
    return ListLine(
        rank=explanation.rank,
        asset=explanation.asset,
        score=explanation.score,
        reasons=spoken(explanation, lang),
        listed=newly_listed(site.graph, site.graph.asset_row(explanation.asset_id)),
        shares=shares_of(explanation),
        verdict=verdict,
        warnings=warnings,
    )


def spoken(explanation: Explanation, lang: str) -> tuple[Reason, ...]:
    """The strongest reasons, and the first caution if there is one."""
    reasons = explanation.reasons_in(lang)
    cautions = [reason for reason in reasons if reason.is_caution][:1]
    praise = [reason for reason in reasons if not reason.is_caution]
    return (*praise[: SHOWN_REASONS - len(cautions)], *cautions)


def newly_listed(graph: KnowledgeGraph, row: Row) -> date | None:
    """The day the asset at `row` came to market, where that was in the last 90 days."""
    day = int(graph.nodes.listed[row])
    return to_date(day) if day != NO_DAY and 0 <= to_days(graph.as_of) - day <= NEW_DAYS else None
