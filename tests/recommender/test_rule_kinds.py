"""What every kind of rule declares of itself, and what a gate keeps from one day of asking to the next."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.kinds import KIND_OF, LEVEL_RELATIONS, RULE_KINDS
from pathfolio.recommender.suitability.options import needed_options, options_of
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.verdict import Outcome
from tests.recommender.suitability_world import AS_OF, prices, rule, tiny_market


def test_no_two_kinds_have_one_name() -> None:
    names = Counter(name for kind in RULE_KINDS for name in kind.full_kinds())
    assert set(names.values()) == {1}
    assert set(KIND_OF) == set(names)
    assert set(LEVEL_RELATIONS) == {"risk", "capacity", "experience", "horizon", "sustainability"}


@pytest.mark.parametrize("kind", RULE_KINDS)
def test_every_setting_is_described(kind: type[Rule]) -> None:
    """In the `Attributes` of the class that declares it, where the reference finds it."""
    docs = "\n".join(parent.__doc__ or "" for parent in kind.__mro__)
    assert all(f"        {name}: " in docs for name in options_of(kind))
    assert set(needed_options(kind)) <= set(options_of(kind))


@pytest.mark.parametrize("kind", RULE_KINDS)
def test_every_reason_is_found_under_some_name(kind: type[Rule]) -> None:
    found = {reason for name in kind.full_kinds() for reason in kind.reasons_of(name)}
    assert found == set(kind.reasons)


def test_a_reason_that_a_kind_does_not_declare_is_refused() -> None:
    found = Judgement.of(("fresh", "stale"), 2, Outcome.PASS, "fresh")
    with pytest.raises(ValueError, match="not in tuple"):
        found.where((found.says("fresh"), Outcome.WARN, "rotten"))


def test_of_several_cases_the_last_counts() -> None:
    found = Judgement.of(("fresh", "stale", "no_date"), 2, Outcome.PASS, "fresh")
    everywhere = found.says("fresh")
    judged = found.where((everywhere, Outcome.WARN, "stale"), (everywhere, Outcome.UNKNOWN, "no_date"))
    assert judged.reason_of(1) == "no_date"
    assert judged.outcome.tolist() == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert found.reason_of(1) == "fresh"


def test_what_a_kind_makes_of_a_snapshot_serves_every_day() -> None:
    """The look-through is made once; what depends on the day, such as a restriction's end, is not kept."""
    graph = tiny_market()
    rules = rule('kind = "concentration"\ngroup = "issuer"\nlimit = 0.5')
    gate = Gate.over(graph, rules, prices())
    assert not gate.assets.made
    gate.screen(int(graph.users[1]), graph.assets)
    made = dict(gate.assets.made)
    assert made
    later = gate.on(AS_OF + timedelta(9))
    later.screen(int(graph.users[1]), graph.assets)
    assert all(later.assets.made[key] is value for key, value in made.items())
    until = f'[[restricted]]\nasset = "tech"\nreason = "r"\nuntil = {AS_OF}\n'
    listed = Gate.over(graph, rule('kind = "restricted"', extra=until), prices())
    days = [listed, listed.on(AS_OF + timedelta(1)), listed]
    counts = [int(each.screen(int(graph.users[1]), graph.assets).allowed.sum()) for each in days]
    assert counts == [len(graph.assets) - 1, len(graph.assets), len(graph.assets) - 1]
