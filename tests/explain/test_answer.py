"""A remembered answer's record for whoever asks next is the one that would be made for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.answer import RememberedAnswer
from pathfolio.explain.records.layout import record_text
from pathfolio.explain.records.record import record_of
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import load_rules
from tests.explain.records_world import ask, investors


@pytest.fixture(scope="module")
def adviser(small_build: Build) -> Adviser:
    return Adviser(small_build, load_rules("tw"))


@pytest.mark.parametrize("thrifty", [False, True])
def test_the_record_for_another_is_the_one_that_would_be_made_for_them(adviser: Adviser, thrifty: bool) -> None:
    first = replace(ask(investors(adviser.build)[0]), thrifty=thrifty)
    answer = RememberedAnswer.of(adviser, first, lambda advice: len(advice.lines))
    assert answer.shown() == len(adviser.advise(first).lines)
    said = '","question":{"who":"nobody"},"rejected":[]'
    for other in (first, replace(first, who=said), replace(first, who="B", through="api", purpose=f"{said} 複查\\")):
        assert answer.record(other).text == record_text(record_of(adviser, adviser.advise(other)))


def test_what_asks_in_the_same_words_as_a_question_is_not_taken_for_it(adviser: Adviser) -> None:
    """Who asked first calls themselves by what a record's question looks like."""
    asked = ask(investors(adviser.build)[0])
    first = replace(asked, who=f'"question":{Question("x", "y", "z").recorded()!r}')
    answer = RememberedAnswer.of(adviser, first, lambda advice: None)
    assert answer.record(asked).text == record_text(record_of(adviser, adviser.advise(asked)))
