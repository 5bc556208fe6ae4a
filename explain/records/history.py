"""What happened to one record since it was made, and how two records differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pathfolio.explain.ledger.entry import Header, Said
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import Erasure, Hold, LookEntry, Release
from pathfolio.explain.records.fact_words import LEVEL_KINDS
from pathfolio.explain.records.keep import BUILD, RULES
from pathfolio.explain.records.layout import Record
from pathfolio.explain.records.layout.asked import RecordedAssumption
from pathfolio.explain.records.layout.shown import RecordedLine, RecordedRejection
from pathfolio.explain.records.report_parts import label_of

MOST_EVENTS: Final = 100
_LOOKED_THROUGH: Final = 20_000


@dataclass(frozen=True)
class Event:
    """One entry of the ledger that concerns a record: its kind, when, by whom, and what is said of it."""

    kind: str
    id: str
    time: str
    who: str
    text: str


def timeline(ledger: Ledger, header: Header) -> list[Event]:
    """The oldest first: its build and rules, the record itself, every look, holds, and the erasure of its person."""
    before = [
        Event(other.kind, other.id, other.time, "", other.tags["sha256"])
        for other in ledger.headers(kinds=[BUILD, RULES])
        if other.tags.get("sha256") in (header.tags.get("build"), header.tags.get("rules"))
    ]
    own = Event(header.kind, header.id, header.time, "", "")
    return [*before[::-1], own, *_later(ledger, header)[-MOST_EVENTS:]]


def _later(ledger: Ledger, header: Header) -> list[Event]:
    """What came after the record; of each kind the newest are looked through."""

    def since(said: type[Said]) -> list[tuple[Header, Said]]:
        return ledger.payloads(said, after=header.seq, most=_LOOKED_THROUGH)

    holds = [(entry, hold) for entry, hold in since(Hold) if hold.covers(header.id, header.key)]
    held = {entry.id for entry, _ in holds}
    erasures = [(entry, erasure) for entry, erasure in since(Erasure) if erasure.key == header.key]
    releases = [(entry, release) for entry, release in since(Release) if release.hold in held]
    looks = [(entry, look) for entry, look in since(LookEntry) if header.id in look.records]
    told = [(entry, look.who, look.purpose) for entry, look in looks]
    told += [(entry, hold.who, hold.reason) for entry, hold in holds]
    told += [(entry, release.who, release.reason) for entry, release in releases]
    told += [(entry, erasure.who, erasure.reason) for entry, erasure in erasures]
    told.sort(key=lambda each: each[0].seq)
    return [Event(entry.kind, entry.id, entry.time, who, text) for entry, who, text in told]


@dataclass(frozen=True)
class AssetChange:
    """An asset in two records: rank (None: not listed), score and verdict in each."""

    asset_id: str
    name: str
    name_local: str
    ranks: tuple[int | None, int | None]
    scores: tuple[float | None, float | None]
    verdicts: tuple[str, str]

    def label(self, lang: str) -> str:
        """Its name in the reader's language, its id where it has none."""
        return label_of(self, lang)

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return len({*self.ranks}) == len({*self.scores}) == len({*self.verdicts}) == 1


@dataclass(frozen=True)
class Comparison:
    """How the second record differs from the first.

    Attributes:
        same_investor: whether both are about one.
        facts: name and the two values, of what they rest on (investor, question, profile, build, rules, software);
            the profile's are named by their kinds of node, several values stand with "; " between them.
        assets: all that either lists, or rejects and the other lists.
        gained, lost: positions that only the second, or only the first, has; empty for two investors.
    """

    same_investor: bool
    facts: tuple[tuple[str, str, str], ...]
    assets: tuple[AssetChange, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        facts = all(one == two for _, one, two in self.facts)
        return facts and all(asset.same for asset in self.assets) and not self.gained and not self.lost


def compare(first: Record, second: Record) -> Comparison:
    """Two records, as they were read."""
    one, two = _facts(first), _facts(second)
    facts = tuple((name, one.get(name, ""), two.get(name, "")) for name in _FACTS if one.get(name) or two.get(name))
    mine, other = _items(first), _items(second)
    assets = tuple(_change(mine.get(asset), other.get(asset)) for asset in dict.fromkeys([*mine, *other]))
    same = one["investor"] == two["investor"]
    held, later = (_positions(record) if same else set() for record in (first, second))
    return Comparison(same, facts, assets, tuple(sorted(later - held)), tuple(sorted(held - later)))


_FACTS: Final = (
    *("investor", "asked_by", "through", "length", "kind", "asset", "follow", "dismiss", "interests", "years", "told"),
    *LEVEL_KINDS.values(),
    *("as_of", "build", "rules", "software", "allowed"),
)
"""Names of a comparison's facts, in their order."""


def _facts(record: Record) -> dict[str, str]:
    question, rules, candidates = record.question, record.rules, record.candidates
    answers = [fact for fact in record.investor.levels.values() if fact.tail]
    facts = {LEVEL_KINDS[fact.relation]: fact.tail for fact in answers if fact.relation in LEVEL_KINDS}
    if question.assumed is not None:
        assumed = question.assumed
        facts |= {LEVEL_KINDS[relation]: level for relation, level in assumed.levels.items()}
        facts |= {name: "; ".join(getattr(assumed, name)) for name in ("follow", "dismiss", "interests")}
        facts["years"] = f"{assumed.years:g}" if assumed.years else ""
    if question.told:
        facts["told"] = "; ".join(f"{fact.relation} {fact.target}" for fact in question.told if fact.stands)
    return facts | {
        "investor": question.user_id,
        "asked_by": question.who,
        "through": question.through,
        "length": "" if question.asset_id else str(question.k),
        "kind": question.kind or "",
        "asset": question.asset_id or "",
        "as_of": record.data.as_of.isoformat(),
        "build": record.build.hash,
        "rules": f"{rules.market} {rules.version} {rules.sha256[:12]}",
        "software": ", ".join(f"{name} {version}" for name, version in sorted(record.software.items())),
        "allowed": f"{candidates.allowed} / {candidates.count}",
    }


def assumed_text(assumed: RecordedAssumption) -> str:
    """What a what-if question assumes, in words of the record; empty where that is nothing."""
    parts = {
        "levels": assumed.levels.values(),
        "years": [f"{assumed.years:g}"] if assumed.years else [],
        "interests": assumed.interests,
        "follow": assumed.follow,
        "dismiss": assumed.dismiss,
    }
    return "; ".join(f"{name} {', '.join(values)}" for name, values in parts.items() if values)


_Placed = RecordedLine | RecordedRejection


def _items(record: Record) -> dict[str, _Placed]:
    placed: list[_Placed] = [*record.list, *record.rejected]
    return {item.asset_id: item for item in placed}


def _positions(record: Record) -> set[str]:
    return {fact.tail for fact in record.investor.positions}


def _change(one: _Placed | None, two: _Placed | None) -> AssetChange:
    either = one or two
    if either is None:
        raise ValueError("an asset of neither record")
    return AssetChange(
        either.asset_id,
        either.name,
        either.name_local,
        (_rank(one), _rank(two)),
        (None if one is None else one.score, None if two is None else two.score),
        ("" if one is None else one.verdict.outcome, "" if two is None else two.verdict.outcome),
    )


def _rank(item: _Placed | None) -> int | None:
    return item.rank if isinstance(item, RecordedLine) else None
