"""The day of asking: the clock's, or for generated data the day on which their market ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph_folder import GraphFolder
from pathfolio.recommender.build import Build

Today = Callable[[], date]
"""Says which day it is for those who ask; asked anew for each question, since a site runs for days."""


def clock_day() -> date:
    """Today, where this runs."""
    return datetime.now().astimezone().date()


def day_of_asking(build: Build | GraphFolder, chosen: date | None = None) -> Today:
    """The day that was chosen; else the sample's own day, or the clock's.

    Raises:
        UsageError: the chosen day is before that of the build or graph, which knows what came later.
    """
    if chosen is not None and chosen < build.as_of:
        raise UsageError(
            f"--today {chosen} is before the build's day, {build.as_of}, and the build knows what came later: "
            f"make one with --as-of {chosen}"
        )
    if chosen is None and not build.is_sample:
        return clock_day
    day = chosen or build.as_of
    return lambda: day
