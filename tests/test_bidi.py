"""A name that turns the direction of writing turns itself alone: on pages, in texts, reports and pictures."""

from __future__ import annotations

from html import unescape
from types import SimpleNamespace

import pytest

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.formats.svg import _short, _wrapped
from pathfolio.explain.records.report_parts import label_of
from pathfolio.explain.speech import speech_of
from pathfolio.explain.tracer import Tracer
from pathfolio.kg.bidi import isolated
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages.names import Names
from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.values import NodeValue
from pathfolio.recommender.build import Build
from pathfolio.web.cypher_formats import as_table
from pathfolio.web.site import create_app

TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NAMES = [f"Ac{turn}me" for turn in TURNS] + ["\u2069\u202eevil", "\u2067\u2069\u2069\u202e", "a\u2066b\u2067c", TURNS]


def depths(text: str) -> list[int]:
    """How many isolates are open after each character; an end without a beginning counts below nothing."""
    found, depth = [], 0
    for character in text:
        depth += (character in "\u2066\u2067\u2068") - (character == "\u2069")
        found.append(depth)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_whatever_turns_stands_in_a_cage_that_it_cannot_open(name: str) -> None:
    found = depths(isolated(name))
    assert min(found[:-1]) >= 1
    assert found[-1] == 0
    assert isolated(name).replace("\u2068", "").replace("\u2069", "") == name.replace("\u2068", "").replace(
        "\u2069", ""
    )


@pytest.mark.parametrize("name", ["Acme", "台積電", "שלום", "a\u200fb", ""])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert isolated(name) is name


EVIL = "Fund \u202e%05- \u2069gnitar"


def test_names_in_sentences_pictures_tables_and_reports() -> None:
    node = PathNode("a", "Stock", Names.everywhere(EVIL))
    texts = [
        speech_of("en").names([node, node]),
        speech_of("zh-TW").name(node),
        _short(node.label("en") * 9, 20.0),
        *_wrapped(node.label("en") * 9, 20.0),
        label_of(SimpleNamespace(name=EVIL, name_local="", asset_id="a"), "en"),
        NodeValue("k", "Stock", {"name": EVIL}).name,
        as_table(QueryResult(("x", "y"), ((EVIL * 9, 1),), None, 0.0)).decode(),
    ]
    for text in texts:
        outside = [c for c, depth in zip(text, depths(text), strict=True) if depth < 1]
        assert "\u202e" not in outside, ascii(text)
        assert min(depths(text)) >= 0
        assert depths(text)[-1] == 0


def test_names_on_pages(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnowledgeGraph, "called", lambda self, row, lang="en": EVIL)
    monkeypatch.setattr(Tracer, "_name", lambda self, row, kind, lang: EVIL)
    client, graph = create_app(build).test_client(), build.graph
    user, asset = str(graph.nodes.id[graph.users[1]]), str(graph.nodes.id[graph.assets[1]])
    for url in (f"/investors/{user}", f"/assets/{asset}", "/search?q=gnitar", "/questionnaire?horizon=9", "/"):
        page = unescape(client.get(url).text)
        assert "\u202e" in page, url
        assert "\u202e" not in [c for c, depth in zip(page, depths(page), strict=True) if depth < 1], url
