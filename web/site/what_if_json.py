"""What-if questions and questionnaires as the site takes them, and their answers in JSON's types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Annotated, Any, Final

from msgspec import Meta

from pathfolio.explain.evidence import ChannelPart, Fact, Path, PathNode
from pathfolio.explain.records.telling import told_by
from pathfolio.explain.what_if_list import AssumedLine, AssumedList, Move
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import UsageError
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.schema import ASSET_KIND_OF
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.questionnaire import HORIZON, INTEREST, QUESTIONS, answered
from pathfolio.recommender.told import told_named
from pathfolio.web.site.listed import Advised, ListLine
from pathfolio.web.site.parameters import VerdictWord
from pathfolio.web.site.served import ServedBuild

MOST_LINES: Final = 100
MOST_NAMED: Final = 50
"""Assets that one question may follow or dismiss, and answers that it may give."""

Named = Annotated[tuple[str, ...], Meta(max_length=MOST_NAMED)]

SHOWN_PATHS: Final = 10
"""Paths of a line beyond those that its reasons cite; all of them are in the recommendation's own explanation."""


@dataclass(frozen=True)
class WhatIfQuestion:
    """What is assumed; all of it optional.

    Attributes:
        profile: answers by the questions' names; `interests` is a list, null takes an answer away.
    """

    user_id: str | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    follow: Named = ()
    dismiss: Named = ()
    k: Annotated[int, Meta(ge=1, le=MOST_LINES)] = 10
    kind: Annotated[str | None, Meta(extra_json_schema={"enum": [*ASSET_KIND_OF, None]})] = None
    lang: Annotated[str, Meta(extra_json_schema={"enum": list(LANGUAGES)})] = DEFAULT


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
    site: ServedBuild,
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
    told = told_by(site.ledger, site.graph.name, user_id) if user_id else ()
    before = told_named(site.build.scorer, user_id or "", told)
    investor = before.choosing(site.graph, follow, dismiss)
    return Asked(user_id, answered(site.graph, answers, investor), before)


def asked_in_json(site: ServedBuild, body: Mapping[str, Any]) -> Asked:
    """The question of a JSON object: user_id, profile, follow, dismiss, k and kind, all of them optional.

    Raises:
        UsageError: something in it is not understood; the message says what, and the remedy.
    """
    unknown = sorted(set(body) - {each.name for each in fields(WhatIfQuestion)})
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


# -- the answer ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MovedAsset:
    """An asset with its place now and before; null where it is on no list."""

    asset_id: str
    name: str
    kind: str
    rank: int | None
    was: int | None


@dataclass(frozen=True)
class Base:
    """A part of the score that no channel has."""

    name: str
    value: float


@dataclass(frozen=True)
class CitedReason:
    """A reason, and the ids of the paths and facts that prove it."""

    lang: str
    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class AnsweredLine:
    """One asset of the list as it would be, with the reasons and the parts of its score.

    Attributes:
        was: its place before; null where it was on no list.
        from_assumed: what paths that begin with something assumed add to the score.
        warnings: what the suitability rules say against it.
        paths: those that the reasons cite, and the largest beside them; `more_paths` are not listed.
    """

    rank: int
    was: int | None
    asset_id: str
    name: str
    kind: str
    score: float
    from_assumed: float
    base: tuple[Base, ...]
    channels: tuple[ChannelPart, ...]
    reasons: tuple[CitedReason, ...]
    paths: tuple[Path, ...]
    more_paths: int
    facts: tuple[Fact, ...]
    verdict: VerdictWord
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class AssumedFacts:
    """What was assumed: answers by their questions' names, and what is of interest, followed and dismissed."""

    profile: dict[str, str | float]
    interests: tuple[PathNode, ...]
    follow: tuple[PathNode, ...]
    dismiss: tuple[PathNode, ...]


@dataclass(frozen=True)
class WhatIfAnswer:
    """The list as it would be, what climbed below it, and what left it."""

    user_id: str | None
    as_of: date
    build: str
    kind: str | None
    assumed: AssumedFacts
    list: tuple[AnsweredLine, ...]
    risers: tuple[MovedAsset, ...]
    left: tuple[MovedAsset, ...]


def answer_of(site: ServedBuild, asked: Asked, found: AssumedList, shown: Advised, lang: str) -> WhatIfAnswer:
    """The answer to a question; `shown` is the list as the page has it."""
    lines = zip(found.lines, shown.lines, strict=True)
    return WhatIfAnswer(
        user_id=asked.user_id,
        as_of=site.graph.as_of,
        build=site.build.build_hash,
        kind=asked.kind,
        assumed=_assumed(site, asked),
        list=tuple(_line(line, told, shown.warnings, lang) for line, told in lines),
        risers=tuple(_moved(site, move, lang) for move in found.risers),
        left=tuple(_moved(site, move, lang) for move in found.left),
    )


def _assumed(site: ServedBuild, asked: Asked) -> AssumedFacts:
    graph, investor = site.graph, asked.investor
    profile: dict[str, str | float] = {
        name: str(graph.nodes.id[investor.levels[relation]])
        for name, relation in QUESTIONS.items()
        if relation in investor.levels
    }
    if investor.years is not None:
        profile[HORIZON] = investor.years
    return AssumedFacts(
        profile,
        interests=tuple(map(site.names.node, investor.interests)),
        follow=tuple(map(site.asset_node, sorted(investor.followed))),
        dismiss=tuple(map(site.asset_node, sorted(investor.dismissed))),
    )


def _line(line: AssumedLine, told: ListLine, common: tuple[str, ...], lang: str) -> AnsweredLine:
    found = line.explanation
    reasons = found.reasons_in(lang)
    cited = {name for reason in reasons for name in reason.evidence}
    by_size = sorted(found.paths, key=lambda path: (path.id not in cited, -abs(path.contribution), path.id))
    shown = by_size[: len([path for path in found.paths if path.id in cited]) + SHOWN_PATHS]
    return AnsweredLine(
        rank=line.move.rank,
        was=line.move.was or None,
        asset_id=found.asset_id,
        name=found.asset.label(lang),
        kind=found.kind,
        score=line.score,
        from_assumed=line.from_assumed,
        base=tuple(Base(name, value) for name, value in found.base),
        channels=found.channels,
        reasons=tuple(CitedReason(reason.lang, reason.text, reason.evidence) for reason in reasons),
        paths=tuple(shown),
        more_paths=len(found.paths) - len(shown),
        facts=found.facts,
        verdict=told.verdict,
        warnings=common + told.warnings,
    )


def _moved(site: ServedBuild, move: Move, lang: str) -> MovedAsset:
    node = site.asset_node(move.asset)
    return MovedAsset(str(node.id), node.label(lang), node.kind.lower(), move.rank or None, move.was or None)
