"""Which claims become reasons: the ones that carry most of the score first, no two alike, cautions last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final

from explain.claims import Case, Claim, Lookups
from explain.evidence import Fact
from explain.explanation import Explanation
from explain.speech import speech_of
from explain.triggers_facts import from_facts
from explain.triggers_paths import from_paths

MOST_REASONS: Final = 8
"""So many reasons and cautions are given at most."""

MOST_CAUTIONS: Final = 3
FEWEST_FACTS: Final = 2
"""So many facts are told even where paths would fill all places."""

MOST_OF_A_TRIGGER: Final = 2
"""Co-investors of a third holding add little to those of two; one sentence about one industry is enough."""

_WEAK: Final = frozenset({"shared_market", "learned"})
"""What tells little, however much it adds to the score: told last."""


def add_reasons(explanation: Explanation, user: int, asset: int, lookups: Lookups, langs: Iterable[str]) -> Explanation:
    """The explanation with a reason for each claim that its evidence proves, in each language.

    The order is the same in all languages: claims on paths by what these add to the score, then facts, then
    cautions.

    Args:
        user, asset: rows of the snapshot's nodes.
    """
    case = Case(explanation, user, asset, lookups)
    claims = choose([*from_paths(case), *from_facts(case)])
    reasons = tuple(speech_of(lang).reason(claim) for lang in langs for claim in claims)
    return explanation.with_reasons(reasons, _facts(claims))


def choose(claims: list[Claim]) -> list[Claim]:
    """The claims to speak of, in order."""
    chosen: list[Claim] = []
    count: Counter[Hashable] = Counter()
    for claim in sorted(claims, key=lambda claim: (claim.is_caution, claim.trigger in _WEAK, -claim.weight)):
        same = (claim.trigger, claim.values.get("label"))
        if count[claim.trigger] < MOST_OF_A_TRIGGER and (same[1] is None or not count[same]):
            chosen.append(claim)
            count.update((claim.trigger, same))
    cautions = [claim for claim in chosen if claim.is_caution][:MOST_CAUTIONS]
    on_paths = [claim for claim in chosen if not claim.is_caution and not claim.facts]
    facts = [claim for claim in chosen if not claim.is_caution and claim.facts]
    left = MOST_REASONS - len(cautions)
    on_paths = on_paths[: left - min(len(facts), FEWEST_FACTS)]
    return on_paths + facts[: left - len(on_paths)] + cautions


def _facts(claims: list[Claim]) -> tuple[Fact, ...]:
    by_id = {fact.id: fact for claim in claims for fact in claim.facts}
    return tuple(by_id.values())
