"""`Recommender`: lists and explanations for a notebook, gated and recorded before they are handed on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.html import as_html
from pathfolio.explain.formats.text import as_text
from pathfolio.explain.records.adviser import Question
from pathfolio.explain.records.serve import serve, serve_lists
from pathfolio.explain.records.verdict_text import outcome_text, verdict_text
from pathfolio.explain.wording import wording_of
from pathfolio.kg.languages import DEFAULT
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.verdict import Verdict
from pathfolio.web.advice import account_name, open_desk, rules_text, today_text
from pathfolio.web.library.values import a_day, ids_of

THROUGH: Final = "Python"
"""How a question is said to have been asked in its record."""

_COLUMNS: Final = ("user_id", "rank", "asset_id", "name", "score", "verdict")


@dataclass(frozen=True)
class Explained:
    """Why an asset has its place in an investor's list, and what the rules make of it; it was recorded.

    In a notebook it shows itself: the reasons, the picture of the paths, how the score adds up, and the paths.

    Attributes:
        explanation: the score taken apart into the paths that carry it.
        verdict: what the suitability rules found.
        record: id of the record in the ledger.
        lang: the tag of the language in which it shows itself, such as "en" or "zh-TW".
        k: length of the list; below it nothing is said to be recommended.
        is_sample: the data are made up, and it says so.
    """

    explanation: Explanation
    verdict: Verdict
    record: str
    lang: str
    k: int
    is_sample: bool

    def __str__(self) -> str:
        """As text for a terminal."""
        text = as_text(self.explanation, self.lang, is_sample=self.is_sample, k=self.k)
        return "\n".join([text, *self._verdict()])

    def __repr__(self) -> str:
        return f"Explained({self.explanation.user_id}, {self.explanation.asset_id}: {self.verdict.state})"

    def _repr_html_(self) -> str:
        """What a notebook shows: HTML and SVG without any script."""
        shown = as_html(self.explanation, self.lang, is_sample=self.is_sample, k=self.k, verdict=self._verdict())
        return f'<div class="pf-notebook"><style>{_style()}</style>{shown}</div>'

    def _verdict(self) -> list[str]:
        """The verdict in words, then what speaks against the asset."""
        against = verdict_text(self.verdict.results, self.lang, to_investor=True)
        return [outcome_text(self.verdict.state, self.lang), *against]


class Recommender:
    """Recommends assets to the investors of a build and explains each by the paths that carry its score.

    Every answer passes the suitability rules and is in the ledger before it is handed on, as on the command line.

    >>> import tempfile
    >>> from datetime import date
    >>> import pathfolio
    >>> market = pathfolio.sample_market(pathfolio.SampleSize(investors=40, stocks=40, funds=4, bonds=4, years=1))
    >>> build = pathfolio.build(market, as_of=date(2026, 6, 30), embedding="DistMult", quiet=True)
    >>> ledger = tempfile.TemporaryDirectory()
    >>> recommender = pathfolio.Recommender(build, rules="tw", ledger=ledger.name + "/ledger")
    >>> lists = recommender.recommend(build.graph.user_ids[:2], k=3)
    >>> list(lists), len(lists)
    (['user_id', 'rank', 'asset_id', 'name', 'score', 'verdict'], 6)
    >>> why = recommender.explain(lists.user_id[0], lists.asset_id[0])
    >>> why.explanation.rank, bool(abs(why.explanation.score - lists.score[0]) < 1e-12)
    (1, True)
    >>> ledger.cleanup()
    """

    def __init__(
        self,
        build: Build,
        *,
        rules: str | Path | None = None,
        ledger: str | Path | None = None,
        today: date | None = None,
    ) -> None:
        """Open the ledger and read the rules.

        Args:
            rules: eu, us, tw, none, or a TOML file; for None those of PATHFOLIO_RULES, or of the market in whose
                currency most assets trade.
            ledger: a folder or a database's URL; for None PATHFOLIO_LEDGER, or a folder among the user's data.
            today: the day of asking, from which the rules count ages; for None the clock's, or generated data's own.

        Raises:
            DataError: there are no such rules, or they are refused.
            LedgerError: the ledger cannot be opened, so nothing can be shown.
            UsageError: `today` is before the build's day.
        """
        day = None if today is None else a_day(today, "today")
        self._desk = open_desk(build, None if rules is None else str(rules), ledger, day)

    def __repr__(self) -> str:
        adviser = self._desk.adviser
        where = self._desk.ledger.store.where
        build = f"build {adviser.build.build_hash[:12]} as of {adviser.build.as_of}"
        return f"Recommender({build}; {rules_text(adviser.rules)}; {today_text(self._desk)}; records in {where})"

    def recommend(
        self, users: Iterable[str], k: int = 10, kind: str | None = None, *, include_held: bool = False
    ) -> pd.DataFrame:
        """Each investor's list, best first: user_id, rank, asset_id, name, score, verdict.

        All lists are recorded, or none is and none is handed on.

        Args:
            users: ids of investors.
            kind: stock, fund or bond; for None all.
            include_held: list what an investor holds or ever held, too.

        Raises:
            LedgerError: the lists could not be recorded.
            UsageError: unknown investor or kind, or k below 1.
        """
        desk = self._desk
        who = account_name()
        options: dict[str, Any] = {"include_held": include_held, "explained": False, "today": desk.today()}
        questions = [Question(who, THROUGH, user, k, kind, **options) for user in ids_of(users)]
        rows = [
            (line.user_id, line.rank, line.asset_id, line.name, line.score, verdict.state)
            for served in serve_lists(desk.adviser, desk.ledger, questions)
            for line, verdict in zip(served.advice.lines, served.advice.verdicts, strict=True)
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def explain(self, user: str, asset: str, k: int = 10, kind: str | None = None, *, lang: str = DEFAULT) -> Explained:
        """Why `asset` has its place in the list of `user`, in a language such as "en" or "zh-TW".

        Args:
            k: length of the list; below it nothing is said to be recommended.
            kind: rank among the stocks, funds or bonds only; for None among all.

        Raises:
            LedgerError: the explanation could not be recorded.
            UsageError: unknown investor, asset, kind or language, or k below 1.
        """
        wording_of(lang)
        desk = self._desk
        who = account_name()
        question = Question(who, THROUGH, user, k, kind, lang=lang, asset_id=asset, today=desk.today())
        served = serve(desk.adviser, desk.ledger, question)
        [explanation] = served.advice.explanations
        [verdict] = served.advice.verdicts
        return Explained(explanation, verdict, served.receipt.id, lang, k, desk.adviser.build.is_sample)


@cache
def _style() -> str:
    return resources.files("pathfolio.explain").joinpath("templates", "notebook.css").read_text(encoding="utf-8")
