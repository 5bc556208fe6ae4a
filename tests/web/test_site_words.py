"""Chinese pages as they are printed in Taiwan: no English within, spaces and marks where they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask

from pathfolio.kg.languages import language, languages
from pathfolio.kg.languages.filling import filled
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.examples import typical_investor
from tests.web.crawling import pages, visitor

HAN = "\u3400-\u9fff"
NO_TEXT = {"script", "style", "code", "pre", "kbd", "textarea"}
EMPTY = {"input", "br", "img", "meta", "link", "path", "line", "circle", "rect", "hr", "col", "use", "polyline"}
READ_OUT = ("title", "aria-label", "alt", "placeholder")
DAY = re.compile(r"\d+年\d+月\d+日")
FAULTS = {
    "no space beside Latin letters or digits": re.compile(rf"[{HAN}][A-Za-z0-9+−]|[A-Za-z0-9%][{HAN}]"),
    "a space between Chinese characters": re.compile(rf"[{HAN}] +[{HAN}]"),
    "a narrow mark beside a Chinese character": re.compile(rf"[{HAN}] ?[,;:!?()]|[,;:!?()] ?[{HAN}]"),
    "a space beside a wide mark": re.compile(
        rf"[，。；：、」）] +[{HAN}A-Za-z0-9]|[{HAN}A-Za-z0-9] +[，。；：、「」（）]"
    ),
}
TERMS = (
    "API CSV JSON PDF HTML KB ISIN ETF UTC SHA TWD USD EU EC CESR OFAC ESMA CFR FINRA nDCG Cypher Parquet Enter Shift "
    "Delete Leiden Louvain FastRP PageRank TransE DistMult RotatE ComplEx pathfolio Pathfolio Purpose Authorization "
    "skfolio Ledoit Wolf James Stein "
    "Bearer verify py name value source known current from until weight qualifier Asset as of at tw test"
)
"""What has no Chinese name, names of programs and keys, the words of the schema in queries, and account names."""


class Texts(HTMLParser):
    """What a page says in its own language: its text nodes and what is read out."""

    def __init__(self, lang: str) -> None:
        super().__init__()
        self.lang = lang
        self.said: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = tag in NO_TEXT or given.get("lang") not in (None, self.lang)
        if tag not in EMPTY:
            self.open.append((tag, foreign))
        if not foreign:
            self.said += [said for name in READ_OUT if (said := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        said = " ".join(data.split())
        if said and not any(foreign for _, foreign in self.open):
            self.said.append(said)


def texts(html: str, lang: str) -> list[str]:
    page = Texts(lang)
    page.feed(html)
    page.close()
    return page.said


@pytest.fixture(scope="module")
def app(build: Build) -> Iterator[Flask]:
    app = create_app(build, sample_access(typical_investor(build.graph)))
    app.config["TESTING"] = True
    yield app
    app.extensions["pathfolio_graph"].close()


@pytest.fixture(scope="module")
def names(build: Build) -> re.Pattern[str]:
    """All that the data call something: whoever wrote those wrote them so."""
    nodes = build.graph.nodes
    found = {str(name) for column in (nodes.name, nodes.name_local, nodes.id) for name in column if len(name) > 1}
    found |= {name.partition(".")[0] for name in map(str, nodes.id[build.graph.assets])}
    return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))))


def _ends(name: re.Match[str]) -> str:
    inner = re.sub(r"^\W+|\W+$", "", name[0]) or name[0]
    return f"{inner[0]}\u2060{inner[-1]}"


def faults(said: str, names: re.Pattern[str]) -> list[str]:
    """What is wrong with a text; of names only the ends are looked at."""
    said = re.sub(r"`[^`]*`|[「“][^」”]+:[^」”]+[」”]|[0-9a-f]{16,}", "\u2060", said)  # a hash may hold a name
    shown = DAY.sub("\u2060", names.sub(_ends, said))
    found = [fault for fault, pattern in FAULTS.items() if pattern.search(shown)]
    plain = re.sub(r"\S*[\d@=_/.^]\S*", " ", names.sub(" ", said))
    words = set(re.findall(r"[A-Za-z]{2,}", plain)) - set(TERMS.split()) - {role.value for role in AccountRole}
    return found + [f"{word} is English" for word in sorted(words) if re.search(f"[{HAN}]", said)]


def test_faults_are_found() -> None:
    no_names = re.compile("$^")
    assert faults("買入 5% 後，占 20.1%。", no_names) == []
    assert len(faults("買入5%後", no_names)) == 1
    assert len(faults("發行機構 美光 將占", no_names)) == 1
    assert len(faults("基金, 0.11", no_names)) == 1
    assert len(faults("來源： 示範", no_names)) == 1
    assert faults("建議 Buy 的機構", no_names) == ["Buy is English"]


@pytest.mark.parametrize("role", AccountRole)
def test_chinese_pages_are_written_as_chinese_is(app: Flask, names: re.Pattern[str], role: AccountRole) -> None:
    wrong: dict[str, tuple[str, ...]] = {}
    for lang in languages():
        if language(lang).script != "han":
            continue
        for url, html in pages(visitor(app, role), lang, ("/", "/search?q=a", "/no")):
            for said in texts(html, lang):
                found = faults(said, names)
                if found:
                    wrong[said] = (url, *found)
    assert wrong == {}


def test_gaps_are_filled_with_the_spaces_that_belong_there() -> None:
    said = "其中 {share} 屬於{name}，{name} 產業的 {n} 檔"
    assert filled("zh-TW", said, share="88%", name="USD", n=3) == "其中 88% 屬於 USD，USD 產業的 3 檔"
    assert filled("zh-TW", said, share="八成", name="半導體", n=3) == "其中八成屬於半導體，半導體產業的 3 檔"
    assert filled("zh-TW", "{a} {b}；{c}", a="21.76", b="TWD", c="") == "21.76 TWD；"
    assert filled("en", said, share="88%", name="USD", n=3) == "其中 88% 屬於USD，USD 產業的 3 檔"
