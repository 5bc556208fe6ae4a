"""What the gate says about one asset for one investor, and the facts that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final


class Outcome(IntEnum):
    """What a rule finds; the greatest of a verdict's effects is the verdict's own."""

    PASS = 0
    WARN = 1
    UNKNOWN = 2
    REJECT = 3

    @property
    def word(self) -> str:
        """The outcome as it stands in rule files and records."""
        return _WORDS[self]


_WORDS: Final = tuple(outcome.name.lower() for outcome in Outcome)


@dataclass(frozen=True)
class UsedFact:
    """One fact that a rule used: an edge of the graph, a price, or what the rule file derived from them.

    Attributes:
        head, tail: ids of the two nodes; `tail` may be empty.
        relation: the relation's name in the graph, or the name of an attribute (CLOSE, LISTED, RISK_CLASS).
        value: the number that belongs to it (a weight, a class, a price); None where there is none.
        source: who said so.
        as_of, known_at: ISO dates; empty where the source gives none.
        note: how it was derived; empty where the source states it.
    """

    head: str
    relation: str
    tail: str = ""
    value: float | None = None
    source: str = ""
    as_of: str = ""
    known_at: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Only the fields that say something."""
        return {name: value for name, value in vars(self).items() if value not in ("", None)}


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    Attributes:
        rule: the rule's id in the rule file.
        kind: the rule's kind, and for concentration and freshness its group (`concentration/issuer`).
        outcome: what the rule found.
        effect: what that counts as: the outcome, or what the rule file makes of an unknown one.
        reason: a word for why (`above_level`, `no_rating`, …), from which sentences are made.
        measured, limit: the two numbers that were compared, in the rule's own unit; None where there were none.
        subject: what they are about (an industry's name, a level's name); empty where it is the asset itself.
        facts: what was used, with dates.
        warn_at: from where the rule warns, where it warns before its limit.
    """

    rule: str
    kind: str
    outcome: Outcome
    effect: Outcome
    reason: str
    measured: float | None
    limit: float | None
    subject: str
    facts: tuple[UsedFact, ...]
    warn_at: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a record."""
        said = {} if self.warn_at is None else {"warn_at": self.warn_at}
        return {
            "rule": self.rule,
            "kind": self.kind,
            "outcome": self.outcome.word,
            "effect": self.effect.word,
            "reason": self.reason,
            "measured": self.measured,
            "limit": self.limit,
            "subject": self.subject,
            "facts": [fact.to_json() for fact in self.facts],
        } | said


UNDECIDED: Final = "pass_with_unknowns"
"""The state of a verdict that nothing speaks against, though the facts did not decide every rule."""

STATES: Final = (Outcome.PASS.word, UNDECIDED, Outcome.WARN.word, Outcome.REJECT.word)
"""What a verdict can say, from the best to the gravest."""


@dataclass(frozen=True)
class Verdict:
    """All rules about one asset for one investor; `outcome` is pass, warn or reject.

    Attributes:
        unknown: ids of the rules that the facts do not decide.
    """

    asset_id: str
    outcome: Outcome
    results: tuple[RuleResult, ...]
    unknown: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """One of `STATES`: a pass is only plain where every rule was decided."""
        return UNDECIDED if self.outcome is Outcome.PASS and self.unknown else self.outcome.word

    @property
    def against(self) -> tuple[RuleResult, ...]:
        """The results that made it a warning or a rejection, the gravest first."""
        found = [result for result in self.results if result.effect is not Outcome.PASS]
        return tuple(sorted(found, key=lambda result: -result.effect))

    def to_json(self) -> dict[str, Any]:
        """As it is shown; `outcome` is the state."""
        results = [result.to_json() for result in self.results]
        return {"asset_id": self.asset_id, "outcome": self.state, "results": results}


EXEMPT: Final = "exempt"
"""The reason of every rule for an investor to whose segment it does not apply."""
