"""What is raised where an explanation cannot stand."""

from __future__ import annotations

from pathfolio.kg.errors import PathfolioError


class ExplanationError(PathfolioError):
    """An explanation that does not account for its score, or cites an edge that the graph does not have."""
