"""Business links between companies: who competes with whom, and who supplies whom."""

from __future__ import annotations

from pathfolio.explain.checker.parts import check_holdings
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import Path
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import PathReason, Subject, of_paths
from pathfolio.kg.schema import ASSET_KINDS, Relation


class BusinessLink(PathReason):
    """The company behind a holding and that behind the asset do business."""

    subject = Subject.LINKS
    triggers = ("competitor", "customer", "supplier")

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - holding - asset."""
        if len(path.nodes) != 3 or path.nodes[1].kind not in ASSET_KINDS:
            return None
        relation = path.edges[1].relation
        if relation == Relation.COMPETES_WITH:
            return of_paths(case, "competitor", [path])
        if relation == Relation.SUPPLIES:
            return of_paths(case, "customer" if path.walks_forward(1) else "supplier", [path])
        return None

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether there is such an edge between the two: from the holding to its customer, to it from its supplier."""
        rows, problems = check_holdings(view, said)
        relation = "COMPETES_WITH" if said.trigger == "competitor" else "SUPPLIES"
        pairs = [(rows[0], view.asset), (view.asset, rows[0])] if rows else []
        asked = {"competitor": pairs, "customer": pairs[:1], "supplier": pairs[1:]}[said.trigger]
        there = any(view.has(head, relation, tail) for head, tail in asked)
        return problems if there else [*problems, f"no {relation} between the two"]
