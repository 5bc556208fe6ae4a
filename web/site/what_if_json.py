"""What-if questions and questionnaires as the site takes them, and their answers in JSON's types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pathfolio.explain.assumed import AssumedLine, AssumedList, Move
from pathfolio.explain.explanation import Explanation
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.questionnaire import HORIZON, INTEREST, QUESTIONS, answered
from pathfolio.web.site.served import Served

MOST_LINES: Final = 100
MOST_NAMED: Final = 50
"""Assets that one question may follow or dismiss, and answers that it may give."""

SHOWN_PATHS: Final = 10
"""Paths of a line beyond those that its reasons cite; all of them are in the recommendation's own explanation."""


@dataclass(frozen=True)
class Asked:
    """A question that was understood.

    Attributes:
        user_id: None for somebody whom the snapshot does not have.
        investor, before: as assumed, and as they are (a stranger without answers, where nobody was named).
    """

    user_id: str | None
    investor: AssumedInvestor
    before: AssumedInvestor
    k: int = 10
    kind: str | None = None


def asked_of(
    site: Served,
    user_id: str | None,
    answers: Iterable[tuple[str, str]],
    follow: Sequence[str] = (),
    dismiss: Sequence[str] = (),
) -> Asked:
    """The question of an investor, or of somebody new, with these answers and assets.

    Raises:
        UsageError: there is no such investor, question, answer or asset, or too many assets are named.
    """
    answers = list(answers)
    if len(answers) > MOST_NAMED:
        raise UsageError(f"{len(answers)} answers: give {MOST_NAMED} at most")
    if len(follow) + len(dismiss) > MOST_NAMED:
        raise UsageError(f"{len(follow) + len(dismiss)} assets are followed and dismissed: name {MOST_NAMED} at most")
    graph, before = site.graph, AssumedInvestor()
    if user_id is not None:
        row = graph.row(NodeKind.USER, user_id)
        before = AssumedInvestor.of(site.build.scorer, row - int(graph.users[0]))
    first = int(graph.assets[0])
    followed, dismissed = (frozenset(graph.asset_row(name) - first for name in names) for names in (follow, dismiss))
    investor = replace(before, followed=followed - dismissed, dismissed=dismissed)
    return Asked(user_id, answered(graph, answers, investor), before)


def asked_in_json(site: Served, body: Mapping[str, Any]) -> Asked:
    """The question of a JSON object: user_id, profile, follow, dismiss, k and kind, all of them optional.

    Raises:
        UsageError: something in it is not understood; the message says what, and the remedy.
    """
    unknown = sorted(set(body) - {"user_id", "profile", "follow", "dismiss", "k", "kind", "lang"})
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no part of a question: give user_id, profile, follow, dismiss, k, kind")
    user_id, k, kind, profile = body.get("user_id"), body.get("k", 10), body.get("kind"), body.get("profile", {})
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST_LINES:
        raise UsageError(f"a list of {k!r} assets: give k from 1 to {MOST_LINES}")
    if not (user_id is None or isinstance(user_id, str)) or not (kind is None or isinstance(kind, str)):
        raise UsageError("user_id and kind are texts: write them in quotation marks, or leave them out")
    follow, dismiss = (_texts(body, name) for name in ("follow", "dismiss"))
    return replace(asked_of(site, user_id, _answers(profile), follow, dismiss), k=k, kind=kind)


def _answers(profile: object) -> list[tuple[str, str]]:
    """The pairs of a JSON object; `interests` may be a list, and null takes an answer away."""
    if not isinstance(profile, dict):
        raise UsageError(f"profile {profile!r} is no object: give names and answers, as in {{'objective': 'Income'}}")
    pairs = []
    for name, value in profile.items():
        if name in (INTEREST, f"{INTEREST}s"):
            pairs += [(INTEREST, text) for text in _texts({name: [value] if isinstance(value, str) else value}, name)]
        elif name == HORIZON or value is None or isinstance(value, str):
            pairs.append((str(name), "" if value is None else str(value)))
        else:
            raise UsageError(f"{name} {value!r} is no answer: write a text, or null for none")
    return pairs


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    values = body.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UsageError(f"{name} {values!r} is no list of texts: write it as ['A', 'B']")
    return values


# -- in JSON -------------------------------------------------------------------------------------------------


def to_json(
    site: Served, asked: Asked, found: AssumedList, verdicts: Sequence[tuple[str, Sequence[str]]], lang: str
) -> dict[str, Any]:
    """The answer: the list with the place before, what climbed below it, and what left it.

    Args:
        verdicts: what the suitability rules make of each line, and what they say against it.
    """
    return {
        "user_id": asked.user_id,
        "as_of": site.graph.as_of.isoformat(),
        "build": site.build.build_hash,
        "kind": asked.kind,
        "assumed": assumed_in_json(site, asked, lang),
        "list": [
            {**_line(line, lang), "verdict": state, "warnings": list(said)}
            for line, (state, said) in zip(found.lines, verdicts, strict=True)
        ],
        "risers": [_moved(site, move, lang) for move in found.risers],
        "left": [_moved(site, move, lang) for move in found.left],
    }


def assumed_in_json(site: Served, asked: Asked, lang: str) -> dict[str, Any]:
    """The answers, and what is followed, dismissed and of interest; names of nodes in `lang`."""
    graph, investor, first = site.graph, asked.investor, int(site.graph.assets[0])
    named = {name: investor.levels[relation] for name, relation in QUESTIONS.items() if relation in investor.levels}
    return {
        "profile": {name: str(graph.nodes.id[row]) for name, row in named.items()}
        | ({HORIZON: investor.years} if investor.years is not None else {}),
        "interests": [site.names.node(row).to_json(lang) for row in investor.interests],
        "follow": [site.names.node(first + asset).to_json(lang) for asset in sorted(investor.followed)],
        "dismiss": [site.names.node(first + asset).to_json(lang) for asset in sorted(investor.dismissed)],
    }


def _line(line: AssumedLine, lang: str) -> dict[str, Any]:
    asset = line.explanation.asset
    return {
        "rank": line.move.rank,
        "was": line.move.was or None,
        "asset_id": asset.id,
        "name": asset.label(lang),
        "kind": asset.kind.lower(),
        "score": line.score,
        "from_assumed": line.from_assumed,
        **_why(line.explanation, lang),
    }


def _why(found: Explanation, lang: str) -> dict[str, Any]:
    """Reasons, the parts of the score, and the paths that are cited or carry most of it."""
    reasons = found.reasons_in(lang)
    cited = {name for reason in reasons for name in reason.evidence}
    by_size = sorted(found.paths, key=lambda path: (path.id not in cited, -abs(path.contribution), path.id))
    shown = by_size[: len([path for path in found.paths if path.id in cited]) + SHOWN_PATHS]
    return {
        "base": [{"name": name, "value": value} for name, value in found.base],
        "channels": [part.to_json() for part in found.channels],
        "reasons": [reason.to_json() for reason in reasons],
        "paths": [path.to_json(lang) for path in shown],
        "more_paths": len(found.paths) - len(shown),
        "facts": [fact.to_json() for fact in found.facts],
    }


def _moved(site: Served, move: Move, lang: str) -> dict[str, Any]:
    node = site.names.node(int(site.graph.assets[0]) + move.asset)
    about = {"asset_id": node.id, "name": node.label(lang), "kind": node.kind.lower()}
    return {**about, "rank": move.rank or None, "was": move.was or None}
