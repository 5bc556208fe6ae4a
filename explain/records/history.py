"""What happened to one record since it was made, and how two records differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.entry import Header, open_payload, read_header
from pathfolio.explain.ledger.ledger import ACCESS, Ledger
from pathfolio.explain.ledger.store import ENTRY
from pathfolio.explain.records.fact_words import LEVEL_KINDS
from pathfolio.explain.records.keep import BUILD, RULES
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
    payloads = _later(ledger, header)
    holds = {other.id for other, payload in payloads if _concerns(payload, header)}
    after = [
        Event(other.kind, other.id, other.time, str(payload.get("who", "")), _said(payload))
        for other, payload in payloads
        if other.id in holds or payload.get("hold") in holds
    ]
    own = Event(header.kind, header.id, header.time, "", "")
    return [*before[::-1], own, *after[:MOST_EVENTS][::-1]]


def _later(ledger: Ledger, header: Header) -> list[tuple[Header, dict[str, Any]]]:
    """Looks, holds, releases and erasures after the record, the newest first; what is open is all that is read."""
    kinds = [ACCESS, custody.HOLD, custody.RELEASE, custody.ERASURE]
    query = sa.select(ENTRY.c.data).where(ENTRY.c.kind.in_(kinds), ENTRY.c.seq > header.seq, ENTRY.c.data.is_not(None))
    with ledger.store.read() as connection:
        found = connection.execute(query.order_by(ENTRY.c.seq.desc()).limit(_LOOKED_THROUGH)).scalars()
        leaves = [bytes(data) for data in found]
    return [(read_header(leaf), open_payload(leaf, None)) for leaf in leaves]


def _concerns(payload: dict[str, Any], header: Header) -> bool:
    return (
        header.id in payload.get("records", ())
        if isinstance(payload.get("records"), list)
        else payload.get("record") == header.id or (bool(header.key) and payload.get("key") == header.key)
    )


def _said(payload: dict[str, Any]) -> str:
    return str(payload.get("purpose") or payload.get("reason") or "")


@dataclass(frozen=True)
class Change:
    """An asset in two records: rank (None: not listed), score and verdict in each."""

    asset_id: str
    name: str
    name_local: str
    ranks: tuple[int | None, int | None]
    scores: tuple[float | None, float | None]
    verdicts: tuple[str, str]

    def label(self, lang: str) -> str:
        """Its name in the reader's language, its id where it has none."""
        return label_of({"asset_id": self.asset_id, "name": self.name, "name_local": self.name_local}, lang)

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
    assets: tuple[Change, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def compare(first: dict[str, Any], second: dict[str, Any]) -> Comparison:
    """Two records, as they were read."""
    one, two = _facts(first), _facts(second)
    facts = tuple((name, one.get(name, ""), two.get(name, "")) for name in _FACTS if one.get(name) or two.get(name))
    mine, other = _items(first), _items(second)
    assets = tuple(
        _change(asset, mine.get(asset, {}), other.get(asset, {})) for asset in dict.fromkeys([*mine, *other])
    )
    same = one["investor"] == two["investor"]
    held, later = (_positions(record) if same else set() for record in (first, second))
    return Comparison(same, facts, assets, tuple(sorted(later - held)), tuple(sorted(held - later)))


_FACTS: Final = (
    *("investor", "asked_by", "through", "length", "kind", "asset", "follow", "dismiss", "interests", "years"),
    *LEVEL_KINDS.values(),
    *("as_of", "build", "rules", "software", "allowed"),
)
"""Names of a comparison's facts, in their order."""


def _facts(record: dict[str, Any]) -> dict[str, str]:
    question, rules, assumed = record["question"], record["rules"], record["question"].get("assumed", {})
    answers = [fact for fact in record["investor"]["levels"].values() if fact.get("tail")]
    named = {name: "; ".join(assumed.get(name) or ()) for name in ("follow", "dismiss", "interests")}
    return named | {
        **{LEVEL_KINDS[fact["relation"]]: str(fact["tail"]) for fact in answers if fact["relation"] in LEVEL_KINDS},
        **{LEVEL_KINDS[relation]: level for relation, level in (assumed.get("levels") or {}).items()},
        "years": str(assumed.get("years") or ""),
        "investor": question["user_id"],
        "asked_by": question["who"],
        "through": question["through"],
        "length": "" if question["asset_id"] else str(question["k"]),
        "kind": question["kind"] or "",
        "asset": question["asset_id"] or "",
        "as_of": record["data"]["as_of"],
        "build": record["build"]["hash"],
        "rules": f"{rules['market']} {rules['version']} {rules['sha256'][:12]}",
        "software": ", ".join(f"{name} {version}" for name, version in sorted(record["software"].items())),
        "allowed": f"{record['candidates']['allowed']} / {record['candidates']['count']}",
    }


def assumed_text(question: dict[str, Any]) -> str:
    """What a what-if question assumes, in words of the record; empty for a recommendation."""
    assumed = question.get("assumed", {})
    parts = {name: value if isinstance(value, list) else [value] for name, value in assumed.items() if value}
    parts |= {"levels": list(assumed["levels"].values())} if parts.get("levels") else {}
    return "; ".join(f"{name} {', '.join(map(str, values))}" for name, values in parts.items())


def _items(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["asset_id"]: item for item in [*record["list"], *record["rejected"]]}


def _positions(record: dict[str, Any]) -> set[str]:
    return {str(fact["tail"]) for fact in record["investor"]["positions"]}


def _change(asset_id: str, one: dict[str, Any], two: dict[str, Any]) -> Change:
    either = one or two
    return Change(
        asset_id,
        str(either["name"]),
        str(either["name_local"]),
        (one.get("rank"), two.get("rank")),
        (one.get("score"), two.get("score")),
        tuple(item["verdict"]["outcome"] if item else "" for item in (one, two)),  # type: ignore[arg-type] # two of them
    )
