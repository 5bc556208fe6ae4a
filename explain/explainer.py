"""`Explainer`: from the account of a score to its whole explanation."""

from __future__ import annotations

from collections.abc import Sequence

from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import Lookups
from pathfolio.explain.reasons.choose import add_reasons
from pathfolio.explain.tracer import Tracer
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.suitability.rules import RuleSet


class Explainer:
    """Explains the scores of one build; keep it, since it remembers what it has looked up.

    Args:
        graph: the build's snapshot.
        build_hash: the build's hash, which stands in every explanation.
        rules: whose risk classes sentences speak of; by default those that are shipped for the snapshot's market.
        groups: what is known of other investors; by default what builds tell that are made now.
        momentum: how much more weight the score gives to what has risen (`DemandOptions.momentum`).
    """

    def __init__(
        self,
        graph: KnowledgeGraph,
        build_hash: str,
        rules: RuleSet | None = None,
        groups: Groups | None = None,
        momentum: float = 0.0,
    ) -> None:
        """Look nothing up yet."""
        self.graph = graph
        self._tracer = Tracer(graph, build_hash)
        self._lookups = Lookups(self._tracer, rules, groups, momentum)

    def explain(self, account: ScoreAccount, rank: int = 0, langs: Sequence[str] = LANGUAGES) -> Explanation:
        """The score taken apart into evidence paths, with reasons in each of `langs`.

        Args:
            account: the score of one investor and asset of the snapshot.
            rank: the asset's place in the investor's list, from 1; 0 where it is on no list.

        Raises:
            ExplanationError: the account takes an edge that the graph lacks, shows another investor, or does not
                add up.
            UsageError: a language that there is no wording for.
        """
        explanation = self._tracer.trace(account, rank)
        return add_reasons(explanation, account.user, account.asset, self._lookups, langs)
