"""A list as the site shows it: its lines, what the suitability rules say against them, and what they passed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from pathfolio.explain.evidence import INTERESTED_IN, Fact, PathNode, Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.facts import BESIDE
from pathfolio.explain.reasons.case import NEW_DAYS
from pathfolio.explain.reasons.kind import Subject
from pathfolio.explain.reasons.kinds import KIND_OF
from pathfolio.explain.records.adviser import Advice
from pathfolio.explain.records.verdict_text import verdict_text
from pathfolio.explain.speech import reasons_of_person
from pathfolio.kg.figures import STALE_DAYS
from pathfolio.kg.graph import NO_DAY, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.suitability.verdict import Verdict
from pathfolio.web.site.cautions import cautions_of
from pathfolio.web.site.families import Share, shares_of
from pathfolio.web.site.parameters import Place, VerdictWord
from pathfolio.web.site.served import ServedBuild

SHOWN_REASONS: Final = 3
MOST_OF_A_SUBJECT: Final = 2
SHOWN_PASSED_OVER: Final = 5

_SUBJECTS: Final = (Subject.GOAL, Subject.FIGURES, Subject.LINKS, Subject.NEWS, Subject.OTHERS)
"""Of which a line speaks first."""

_GROUPS: Final = (Relation.IN_CATEGORY, Relation.IN_INDUSTRY, Relation.ISSUED_BY)
"""What says where an asset belongs, the first that it has; an investor may know them by what they hold."""


@dataclass(frozen=True)
class RiskFit:
    """The asset's risk class by the rules, and the highest that the investor's level allows; None where unknown."""

    value: float
    most: float | None


@dataclass(frozen=True)
class Badge:
    """A group that the investor knows: `how` is the relation by which they hold others of it, or an interest."""

    how: str
    node: PathNode


@dataclass(frozen=True)
class ListLine:
    """One recommended asset.

    Attributes:
        code: by which it is traded; its id where it has none.
        group: its category or industry; where it has neither, its issuer.
        facts: the figures that stand beside it in the record.
        price_day: of the last close; `days_old` is by how many days it is older than the data, 0 where that is few.
        badges: its groups that the investor knows.
        listed: the day it came to market, where that was less than 90 days ago.
        shares: what the families of channels add to the score.
        warnings: what they say against it, beside `Advised.warnings`.
    """

    rank: Place
    asset: PathNode
    code: str
    group: PathNode | None
    currency: str
    score: float
    facts: tuple[Fact, ...]
    price_day: date | None
    days_old: int
    risk: RiskFit | None
    badges: tuple[Badge, ...]
    reasons: tuple[Reason, ...]
    listed: date | None
    shares: tuple[Share, ...]
    verdict: VerdictWord
    warnings: tuple[str, ...]

    def figure(self, metric: str) -> float | None:
        """The value of one of its figures; None where it has none."""
        return next((float(fact.value) for fact in self.facts if fact.metric == metric), None)

    def unit(self, metric: str) -> str:
        """The unit of one of its figures."""
        return next((fact.unit for fact in self.facts if fact.metric == metric), "")


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
        warnings: what the suitability rules say against several lines, once.
        answers_are_old: whether they ask the investor to answer the questionnaire again.
        passed_over: the first of those that the rules did not let through, with `more_passed_over` beside them.
    """

    lines: tuple[ListLine, ...]
    warnings: tuple[str, ...]
    answers_are_old: bool
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int


def advised(site: ServedBuild, lang: str, advice: Advice, *, is_of_person: bool = False) -> Advised:
    """The list of an answer, as it is told to the investor, or to staff of the investor."""
    verdicts = [site.in_language(verdict, lang) for verdict in advice.verdicts]
    cautions = cautions_of(verdicts, [line.rank for line in advice.lines], lang, to_investor=not is_of_person)
    known = _known_groups(site.graph, advice.question.user_id)
    lines = tuple(
        _line(site, explanation, spoken(explanation, lang, is_of_person=is_of_person), verdict, texts, known)
        for explanation, verdict, texts in zip(advice.explanations, advice.verdicts, cautions.of_lines, strict=True)
    )
    return Advised(lines, cautions.of_list, cautions.answers_are_old, *_passed_over(site, lang, advice, is_of_person))


def _passed_over(
    site: ServedBuild, lang: str, advice: Advice, is_of_person: bool
) -> tuple[tuple[PassedOver, ...], int]:
    """The first of those that the rules did not let through, and how many more there are."""
    found = tuple(
        PassedOver(
            each.place,
            site.names.node(site.graph.asset_row(each.asset_id)),
            tuple(verdict_text(site.in_language(each.verdict, lang).results, lang, to_investor=not is_of_person)),
        )
        for each in advice.rejected[:SHOWN_PASSED_OVER]
    )
    return found, len(advice.rejected) - len(found)


def _known_groups(graph: KnowledgeGraph, user_id: str) -> frozenset[Row]:
    """Rows of the categories, industries and issuers of what the investor holds."""
    user = graph.find(NodeKind.USER, user_id)
    held = () if user is None else graph.outgoing(Relation.HOLDS).of(user).tolist()
    return frozenset(row for of in _GROUPS for asset in held for row in graph.outgoing(of).of(asset).tolist())


def _line(
    site: ServedBuild,
    explanation: Explanation,
    reasons: tuple[Reason, ...],
    verdict: Verdict,
    warnings: tuple[str, ...],
    known: frozenset[Row],
) -> ListLine:
    graph = site.graph
    row = graph.asset_row(explanation.asset_id)
    groups = [(of, Row(group)) for of in _GROUPS for group in graph.outgoing(of).of(row).tolist()]
    facts = tuple(f for f in explanation.facts if f.metric in BESIDE and f.asset_id == explanation.asset_id)
    day = next((fact.as_of for fact in facts if fact.metric == "last_close"), None)
    age = 0 if day is None else (graph.as_of - day).days
    return ListLine(
        rank=explanation.rank,
        asset=explanation.asset,
        code=str(graph.nodes.ticker[row]) or explanation.asset_id,
        group=site.names.node(groups[0][1]) if groups else None,
        currency=str(graph.nodes.currency[row]),
        score=explanation.score,
        facts=facts,
        price_day=day,
        days_old=age if age > STALE_DAYS else 0,
        risk=_risk(verdict),
        badges=(*_interests(explanation), *(Badge(of.value, site.names.node(g)) for of, g in groups if g in known)),
        reasons=reasons,
        listed=newly_listed(graph, row),
        shares=shares_of(explanation),
        verdict=verdict.state,
        warnings=warnings,
    )


def _risk(verdict: Verdict) -> RiskFit | None:
    """As the rule about the risk level found it."""
    found = next((r for r in verdict.results if r.kind == "risk_level" and r.measured is not None), None)
    return None if found is None or found.measured is None else RiskFit(found.measured, found.limit)


def _interests(explanation: Explanation) -> tuple[Badge, ...]:
    """What the investor named as an interest, and the asset is part of."""
    paths = (path for path in explanation.paths if path.edges[0].relation == INTERESTED_IN)
    return tuple(dict.fromkeys(Badge(INTERESTED_IN, path.nodes[1]) for path in paths))


def spoken(explanation: Explanation, lang: str, *, is_of_person: bool = False) -> tuple[Reason, ...]:
    """One reason of each subject first, then a second one of it, and the first caution if there is one."""
    reasons = reasons_of_person(explanation, lang) if is_of_person else explanation.reasons_in(lang)
    cautions = [reason for reason in reasons if reason.is_caution][:1]
    # that the risk fits is told of every line: what else suits the investor comes before it
    praise = sorted((r for r in reasons if not r.is_caution), key=lambda reason: reason.trigger == "risk_fits")
    by_subject = [[r for r in praise if KIND_OF[r.trigger].subject is subject] for subject in _SUBJECTS]
    rounds = (of[turn] for turn in range(MOST_OF_A_SUBJECT) for of in by_subject if len(of) > turn)
    return (*islice(rounds, SHOWN_REASONS), *cautions)


def newly_listed(graph: KnowledgeGraph, row: Row) -> date | None:
    """The day the asset at `row` came to market, where that was in the last 90 days."""
    day = int(graph.nodes.listed[row])
    return to_date(day) if day != NO_DAY and 0 <= to_days(graph.as_of) - day <= NEW_DAYS else None
