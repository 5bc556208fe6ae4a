"""Which claims become reasons: the ones that carry most of the score first, no two alike, cautions last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final

from pathfolio.explain.evidence import Fact, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import Case, Lookups
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kinds import claims_of
from pathfolio.explain.speech import speech_of
from pathfolio.kg.span import Row

MOST_REASONS: Final = 8
"""So many reasons and cautions are given at most."""

MOST_CAUTIONS: Final = 3
FEWEST_FACTS: Final = 4
"""So many facts are told even where paths would fill all places: whether the risk fits, and what figures say."""

MOST_OF_A_TRIGGER: Final = 2
"""Co-investors of a third holding add little to those of two; one sentence about one industry is enough."""


def add_reasons(explanation: Explanation, user: Row, asset: Row, lookups: Lookups, langs: Iterable[str]) -> Explanation:
    """The explanation with a reason for each claim that its evidence proves, in each language, and the asset's figures.

    The order is the same in all languages: claims on paths by what these add to the score, then facts, then
    cautions.

    Args:
        user, asset: rows of the snapshot's nodes.
    """
    case = Case(explanation, user, asset, lookups)
    claims = choose(claims_of(case))
    reasons = tuple(speech_of(lang).reason(claim) for lang in langs for claim in claims)
    return explanation.with_reasons(reasons, _facts(claims, case), tuple(claims))


def choose(claims: list[Claim]) -> list[Claim]:
    """The claims to speak of, in order."""
    chosen: list[Claim] = []
    count: Counter[Hashable] = Counter()
    for claim in sorted(claims, key=lambda claim: (claim.is_caution, claim.is_weak, -claim.weight)):
        said = _label(claim)
        most = 1 if claim.is_weak else MOST_OF_A_TRIGGER
        if count[claim.trigger] < most and (said is None or not count[said]):
            chosen.append(claim)
            count[claim.trigger] += 1
            count[said] += 1
    cautions = [claim for claim in chosen if claim.is_caution][:MOST_CAUTIONS]
    weighing = [claim for claim in chosen if not claim.is_caution and (claim.weight or not claim.facts)]
    facts = [claim for claim in chosen if not claim.is_caution and claim not in weighing]
    left = MOST_REASONS - len(cautions)
    weighing = weighing[: left - min(len(facts), FEWEST_FACTS)]
    return weighing + facts[: left - len(weighing)] + cautions


def _label(claim: Claim) -> Hashable:
    """What would be said twice: an attribute that is shared, whatever its kind, or one of the portfolio's."""
    label = claim.values.get("label")
    if not isinstance(label, PathNode):
        return None
    return (claim.trigger.partition("_")[0], label.name)


def _facts(claims: list[Claim], case: Case) -> tuple[Fact, ...]:
    """What the claims rest on, and the figures that stand beside the asset."""
    cited = [fact for claim in claims for fact in claim.facts]
    return tuple({fact.id: fact for fact in (*cited, *case.facts.beside(case.asset))}.values())
