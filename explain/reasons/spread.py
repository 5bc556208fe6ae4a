"""What the asset would do to the portfolio's spread over sectors, or categories of funds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pathfolio.explain.checker.parts import check_label
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import ReasonKind, Subject, of_facts
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Row

_WORDS: Final = MappingProxyType({Relation.IN_SECTOR: "sector", Relation.IN_CATEGORY: "category"})


class Spread(ReasonKind):
    """The asset's sector (else category) is new to the portfolio, or most of it already."""

    subject = Subject.LINKS
    triggers = tuple(f"{side}_{word}" for side in ("spread", "concentration") for word in _WORDS.values())

    def claims(self, case: Case) -> Iterator[Claim]:
        """Of the first relation by which the asset and at least two holdings are known."""
        for relation, word in _WORDS.items():
            label = case.lookups.label_of(relation)
            target = Row(int(label[case.asset]))
            known = [int(label[row]) for row in case.investor.holdings if label[row] >= 0 and row != case.asset]
            if target < 0 or len(known) < 2:
                continue
            same = Counter(known)[target]
            if same == 0 or (len(known) >= 3 and same * 2 >= len(known)):
                yield self._claim(case, word, target, same, len(known))
            return

    def _claim(self, case: Case, word: str, target: Row, same: int, known: int) -> Claim:
        label = str(case.graph.nodes.id[target])
        user = case.explanation.user_id
        facts = (
            case.facts.own(user, f"holdings_in_{word}", same, label, about_user=True),
            case.facts.own(user, f"holdings_with_{word}", known, "holdings", about_user=True),
        )
        trigger = f"concentration_{word}" if same else f"spread_{word}"
        node = case.node(target)
        return of_facts(case, trigger, facts, is_caution=same > 0, same=same, known=known, label=node)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Count the holdings of the sector or category, and those of any."""
        side, _, word = said.trigger.partition("_")
        relation = {"sector": "IN_SECTOR", "category": "IN_CATEGORY"}[word]
        problems = check_label(view, said, view.asset, relation, "label")
        own = view.tails(view.asset, relation)
        holdings = [row for row in view.tails(view.user, "HOLDS") if row != view.asset]
        labels = [tails[0] for tails in (view.tails(row, relation) for row in holdings) if tails]
        same = labels.count(own[0]) if own else -1
        right = said.count("known") == len(labels)
        problems += [] if right else [f"{len(labels)} holdings have a known {relation}"]
        claimed = said.count("same") if said.has("same") else 0
        right = claimed == same and (side == "concentration") == (same > 0)
        return problems if right else [*problems, f"{same} share it"]
