"""Staff who look at another person's page read of that person; the investor is spoken to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.explainer import Explainer
from pathfolio.explain.speech import reasons_of_person, speech_of, template_of
from pathfolio.explain.wording import wording_of
from pathfolio.kg.languages import languages, words
from pathfolio.kg.languages.person import of_person
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.examples import typical_investor
from tests.explain.explain_world import BUILD, World
from tests.web.crawling import visitor
from tests.web.test_site_words import texts

YOU = re.compile(r"\b[Yy]ou(rs?)?\b|您")
TO_WHO_LOOKS = {"You are here", "You look at records for this purpose:"}


@pytest.fixture(scope="module")
def app(build: Build) -> Iterator[Flask]:
    app = create_app(build, sample_access(typical_investor(build.graph)))
    app.config["TESTING"] = True
    app.extensions["pathfolio_graph"].close()
    yield app


def spoken_to(client: FlaskClient, url: str, lang: str) -> list[str]:
    """What the page says to a "you" who is the investor."""
    answer = client.get(url, headers={"Accept-Language": lang})
    assert answer.status_code == 200, url
    return [said for said in texts(answer.text, lang) if YOU.search(said) and said not in TO_WHO_LOOKS]


@pytest.mark.parametrize("lang", languages())
def test_pages_of_another_person_speak_of_that_person(app: Flask, build: Build, lang: str) -> None:
    user = typical_investor(build.graph)
    staff, investor = visitor(app, AccountRole.COMPLIANCE), visitor(app, AccountRole.INVESTOR)
    page = investor.get(f"/investors/{user}", headers={"Accept-Language": lang}).text
    whys = list(dict.fromkeys(re.findall(rf'href="(/investors/{user}/assets/[^"?#]+)', page)))[:3]
    own = 0
    for url in (f"/investors/{user}", *whys, f"/investors/{user}/what-if"):
        own += len(spoken_to(investor, url, lang))
        assert spoken_to(staff, url, lang) == [], url
    assert own > 5


@pytest.mark.parametrize("lang", languages())
def test_no_sentence_of_staff_speaks_to_the_investor(lang: str) -> None:
    for section in ("reasons", "what_if"):
        assert not YOU.search(of_person(lang, template_of(lang, section)))
    spoken = wording_of(lang, is_of_person=True)
    said = [spoken.you, *map(spoken.metric, words(lang, "metrics")), *map(spoken.peers, words(lang, "peers"))]
    assert [text for text in said if YOU.search(text)] == []


def test_the_sentences_are_the_same_but_for_who_is_spoken_of() -> None:
    world = World()
    explanation = Explainer(world.graph, BUILD).explain(world.beta(), 1)
    told = [reason.text for reason in reasons_of_person(explanation, "en")]
    assert len(told) == len(explanation.reasons_in("en")) > 2
    assert any("which the investor holds" in text for text in told)
    assert [reason.evidence for reason in reasons_of_person(explanation, "en")] == [
        reason.evidence for reason in explanation.reasons_in("en")
    ]
    assert speech_of("en") is not speech_of("en", is_of_person=True)


def test_names_are_left_alone() -> None:
    assert of_person("en", "Your objective is {level}.").format(level="All for You") == (
        "The investor's objective is All for You."
    )
