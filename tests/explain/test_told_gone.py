"""What an investor told and what is left of it: after an erasure, after its retention, and for everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.records.adviser import Advice, Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.telling import TOLD_KIND, Teller, history_of, tell, told_by, told_by_all
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.schema import Relation
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.recommender.told import ToldFact
from tests.explain.ledger_world import Clock, expire, new_clock, opener
from tests.explain.records_world import ask, investors

YEARS = 2560
"""Days, a little more than records are kept."""

clock = pytest.fixture(new_clock)


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    for again in opener(str(tmp_path / "ledger"), clock):
        yield again()


@pytest.fixture(scope="module")
def adviser(small_build: Build) -> Adviser:
    return Adviser(small_build, load_rules("tw"))


@pytest.fixture
def desk(adviser: Adviser, ledger: Ledger) -> Desk:
    return Desk(adviser, ledger)


def whole(advice: Advice) -> str:
    """All that a list says, scores to the last bit."""
    return repr((advice.scores.tobytes(), advice.explanations, advice.verdicts, advice.rejected))


def seen(desk: Desk, user: str) -> str:
    asked = ask(user, k=5, today=desk.adviser.build.as_of)
    return desk.show(asked, "whole", whole).view


def told(desk: Desk, user: str) -> tuple[str, str]:
    """The investor follows an asset and names an interest; the entry, and the interest."""
    graph = desk.adviser.build.graph
    interest = str(graph.nodes.id[graph.outgoing(Relation.IN_INDUSTRY).neighbour[0]])
    first = desk.adviser.advise(ask(user, k=5, today=graph.as_of)).lines[0].asset_id
    facts = [ToldFact("FOLLOWS", first, graph.as_of), ToldFact("INTERESTED_IN", interest, graph.as_of)]
    return tell(desk.ledger, Teller(user, "site", graph.name, graph.as_of), user, facts).id, interest


def left_of(ledger: Ledger, data: str, user: str) -> list[object]:
    """Whatever any reader of the ledger still finds of what the investor told."""
    return [*told_by(ledger, data, user), *history_of(ledger, data, user), *told_by_all(ledger, data).get(user, ())]


def test_an_erasure_leaves_nothing_to_read_and_the_list_is_as_if_nothing_was_told(
    desk: Desk, ledger: Ledger, tmp_path: Path
) -> None:
    user, data = investors(desk.adviser.build)[3], desk.adviser.build.graph.name
    before = seen(desk, user)
    entry, interest = told(desk, user)
    assert seen(desk, user) != before and left_of(ledger, data, user)
    with_it = [header.id for header in ledger.headers(person=user)]
    assert entry in with_it and len(with_it) == 3
    custody.erase(ledger, user, who="clerk", reason="asked for it", despite_retention=True)
    assert left_of(ledger, data, user) == []
    for name in with_it:  # the entry, and the records of the lists that it moved
        with pytest.raises(LedgerError, match="erased"):
            ledger.read_text(name, who="officer", purpose="attack")
    assert seen(desk, user) == before  # what the desk remembers is not shown again
    headers = repr([(header.kind, header.tags) for header in ledger.headers()])
    files = b"".join(path.read_bytes() for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    assert interest not in headers and interest.encode() not in files
    assert verify_ledger(ledger).sound


def test_other_peoples_lists_say_the_same_before_during_and_after(desk: Desk, ledger: Ledger) -> None:
    build = desk.adviser.build
    user, others = investors(build)[3], [name for name in investors(build)[:24:4] if name != investors(build)[3]]

    def theirs() -> list[str]:
        fresh = Desk(desk.adviser, ledger)  # nothing remembered
        return [seen(fresh, name) for name in others]

    before = theirs()
    told(desk, user)
    during = theirs()
    custody.erase(ledger, user, who="clerk", reason="asked for it", despite_retention=True)
    assert before == during == theirs()


def test_what_was_told_ends_with_its_retention_unless_it_is_held(desk: Desk, ledger: Ledger, clock: Clock) -> None:
    build = desk.adviser.build
    user, held = investors(build)[3], investors(build)[9]
    before = seen(desk, user)
    (entry, _), (kept, _) = told(desk, user), told(desk, held)
    custody.hold(ledger, record=kept, who="counsel", reason="case 1")
    clock.now += timedelta(days=YEARS)
    assert left_of(ledger, build.graph.name, user)  # old, not gone: nobody deleted it yet
    assert expire(ledger) >= 2
    assert left_of(ledger, build.graph.name, user) == [] and left_of(ledger, build.graph.name, held)
    with pytest.raises(LedgerError, match="retention ended"):
        ledger.read_text(entry, who="officer", purpose="attack")
    assert seen(desk, user) == before
    assert kept in {header.id for header in ledger.headers(kinds=[TOLD_KIND])}
