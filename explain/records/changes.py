"""What would have changed a recorded result, computed again with the build that made it, under the same rules."""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.explain.counterfactual import Counterfactual, SearchOptions, what_brings_it_on, what_takes_it_off
from pathfolio.explain.records.columns import unpacked
from pathfolio.explain.records.layout import Record
from pathfolio.explain.records.telling import of_record
from pathfolio.explain.what_if import ScorerWhatIf
from pathfolio.explain.what_if_text import tell
from pathfolio.kg.languages import language
from pathfolio.kg.span import Position
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.build import Build
from pathfolio.recommender.ranking import best_first, id_order
from pathfolio.recommender.retrieve import asset_position, user_position
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.verdict import Outcome
from pathfolio.recommender.told import told_investor

_EACH: Final = 2
_MOST_SCORED: Final = 1000


def what_would_move(
    build: Build,
    gate: Gate,
    user: Position,
    asset: Position,
    k: int,
    kind: str | None,
    investor: AssumedInvestor | None = None,
) -> Counterfactual:
    """What would take the asset off the investor's list, or where it is not on it, bring it there.

    Args:
        k, kind: as in `pathfolio.explain.counterfactual.SearchOptions`.
        investor: with what they told; as the snapshot has them, where not given.
    """
    model, options = ScorerWhatIf(build.scorer, gate, investor), SearchOptions(k=k, kind=kind)
    found = what_takes_it_off(model, user, asset, options)
    return found if 0 < found.before <= k else what_brings_it_on(model, user, asset, options)


def what_would_have_changed(record: Record, build: Build, gate: Gate, lang: str) -> list[str]:
    """Sentences: what would have taken the first assets off the list, and brought the next one onto it.

    Where one asset was asked about: what would take that one off, or bring it on. Nothing of a what-if list, which is
    about changes itself.
    """
    question = record.question
    if question.assumed is not None:
        return []
    user = user_position(build.graph, question.user_id)
    investor = told_investor(build.scorer, user, of_record(question.told))
    model = ScorerWhatIf(build.scorer, gate, investor)
    if question.asset_id:
        asset = asset_position(build.graph, question.asset_id)
        one = what_would_move(build, gate, user, asset, question.k, question.kind, investor)
        return [tell(one, model, lang)] if one.before else []
    options = SearchOptions(k=question.k, kind=question.kind, most_scored=_MOST_SCORED)
    positions = [asset_position(build.graph, item.asset_id) for item in record.list[:_EACH]]
    found = [what_takes_it_off(model, user, position, options) for position in positions]
    found = [each for each in found if each.before]  # held ones, which were asked for, are on no such list
    nearest = _next_after(record, build)
    if nearest is not None and len(record.list) == question.k:
        brought = what_brings_it_on(model, user, nearest, options)
        found += [brought] if brought.change is not None else []
    names = [build.graph.display_name(build.graph.asset_span.row(each.asset), lang) for each in found]
    colon = language(lang).colon
    return [f"{name}{colon}{tell(each, model, lang)}" for name, each in zip(names, found, strict=True)]


def _next_after(record: Record, build: Build) -> Position | None:
    """The allowed candidate with the highest score that is not on the list."""
    columns = record.candidates.columns
    if columns is None:
        return None
    at, score, outcome = map(unpacked, (columns.asset, columns.score, columns.outcome))
    scores = np.full(len(build.graph.assets), -np.inf)
    scores[at] = np.where(outcome < Outcome.REJECT, score, -np.inf)
    scores[[asset_position(build.graph, item.asset_id) for item in record.list]] = -np.inf
    best = Position(int(best_first(scores, id_order(build.graph), 1)[0]))
    return best if scores[best] > -np.inf else None
