"""What somebody who asks what-if names as an interest."""

from __future__ import annotations

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import INTERESTED_IN, Path
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import PathReason, Subject, of_paths
from pathfolio.kg.schema import Use, used_for


class Interest(PathReason):
    """An industry, sector or category that was named, and that the asset is part of."""

    subject = Subject.GOAL
    triggers = ("interest",)

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - attribute - asset."""
        if len(path.nodes) == 3 and path.edges[0].relation == INTERESTED_IN:
            return of_paths(case, "interest", [path], label=path.nodes[1])
        return None

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether the asset is part of it; that it was named stands in the question, not in the snapshot."""
        having = (row for relation in used_for(Use.INTEREST) for row in view.tails(view.asset, relation))
        labels = [view.name(row, said.lang) for row in having]
        return [] if said.text("label") in labels else [f"the asset is part of {labels}"]
