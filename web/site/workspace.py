"""The workspace of one investor: the pages that are about them, in the order in which its navigation names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class WorkspaceEntry:
    """One page of the workspace.

    Attributes:
        endpoint: of the page, which takes the investor's id as `user_id`.
        text: key of the site's texts by which it is called.
        also: endpoints of pages that belong to it, so that they are marked in the navigation with it.
    """

    endpoint: str
    text: str
    also: tuple[str, ...] = ()


WORKSPACE: Final = (
    WorkspaceEntry(
        "investors.investor", "workspace_list", ("recommendations.recommendation", "why.instead_of", "why.changes")
    ),
    WorkspaceEntry("charts.charts", "workspace_charts"),
    WorkspaceEntry("portfolio.portfolio", "workspace_portfolio"),
    WorkspaceEntry("plan.plan", "workspace_plan"),
    WorkspaceEntry("what_if.what_if", "what_if"),
    WorkspaceEntry("telling.told", "told_link"),
)
"""Templates of these pages extend `workspace.html`, which shows the investor's name and this navigation above them."""
