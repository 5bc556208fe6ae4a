"""Languages are folders: each has every text of English, and nothing outside them names one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathfolio.kg import languages as texts_of_languages
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.languages import DEFAULT, Tree, language, languages, merged, preferred, understood, words
from pathfolio.kg.languages.names import Names
from pathfolio.kg.store.catalog import named_queries
from tests import ROOT

OTHERS = [lang for lang in languages() if lang != DEFAULT]
TRANSLATING = {"labels", "rules", "sources", "units", "report.notes", "site.names", "site.details"}
"""Sections that translate from English, which has the fewest of their texts."""

OWN_PHRASES = {"reasons.phrases", "what_if.phrases", "person"}
"""Parts of sentences, and how they turn from the investor to staff: each language has its own."""

TAGGED = {
    "kg/languages/__init__.py": "the one that is spoken where no other is asked for",
    "explain/records/layout/__init__.py": "records made before names were a map",
    "web/docs/conf.py": "the documentation is written in English",
}
"""Files that may name a language, and why."""


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, str | list[str]]]:
    for key, value in tree.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from leaves(value, place)
        else:
            yield place, value


def within(key: str, sections: set[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def texts(lang: str) -> dict[str, str]:
    return {key: str(text) for key, text in leaves(texts_of_languages._texts(lang))}


def without_plural_form(key: str) -> str:
    return re.sub(r"\.(zero|one|two|few|many|other)$", "", key) if key.startswith("site.") else key


@pytest.mark.parametrize("lang", OTHERS)
def test_every_language_has_every_text_of_english_and_no_other(lang: str) -> None:
    def keys(of: str) -> set[str]:
        return {without_plural_form(key) for key in texts(of) if not within(key, TRANSLATING | OWN_PHRASES)}

    assert keys(lang) - keys(DEFAULT) == set()
    assert keys(DEFAULT) - keys(lang) == set()


def test_the_other_languages_translate_the_same_english() -> None:
    translated = [{key for key in texts(lang) if within(key, TRANSLATING)} for lang in OTHERS]
    for keys in translated:
        assert keys == translated[0]
    english = {key for key in texts(DEFAULT) if within(key, TRANSLATING - {"labels"})}
    assert english <= translated[0]


@pytest.mark.parametrize("lang", OTHERS)
def test_texts_have_the_same_gaps_in_every_language(lang: str) -> None:
    def gaps(of: str) -> dict[str, set[str]]:
        out: dict[str, set[str]] = {}
        for key, text in texts(of).items():
            if not within(key, TRANSLATING | OWN_PHRASES | {"reasons", "what_if"}):
                out.setdefault(without_plural_form(key), set()).update(re.findall(r"\{(\w+)\}", text))
        return out

    ours, english = gaps(lang), gaps(DEFAULT)
    assert {key: of for key, of in ours.items() if of != english[key]} == {}


@pytest.mark.parametrize("lang", languages())
def test_no_text_is_empty_but_where_nothing_is_to_be_said(lang: str) -> None:
    assert {key for key, text in texts(lang).items() if not text.strip()} <= {
        "report.weighting_none",
        "report.next_sentence",
    }


@pytest.mark.parametrize("lang", languages())
def test_named_queries_and_their_parameters_are_told(lang: str) -> None:
    said = words(lang, "query_parameters")
    for name, query in named_queries().items():
        own = words(lang, "queries", name)
        assert own["title"] == query.title[lang]
        assert own["sentence"] == query.sentence[lang]
        for parameter in query.parameters:
            about = words(lang, "queries", name, "parameters").get(parameter.name) or said[parameter.name]
            assert parameter.about[lang] == about
    assert set(texts_of_languages.tables(lang, "queries")) == set(named_queries())


# -- the two kinds of Chinese --------------------------------------------------------------------------------

ENCODING = {"zh-CN": "gb2312", "zh-TW": "big5"}
"""A character set that holds a script's characters, and none that only the other has (but for a few)."""

ELSEWHERE = {
    "zh-CN": (
        "投资人 殖利率 本益比 报酬率 类股 通膨 公债 投信 认列 资讯 软体 硬体 网路 程式 资料库 预设 "
        "伺服器 介面 萤幕 档案 使用者 列印 行销 探勘 通路 营运 建物 连结 品质 支援 存取 字元 "
        "登入 帐号 帐户 讯息 计画 透过 风险属性 汇入 汇出 搜寻 检视 点选 选单 视窗 变数 自订 "
        "影音 评等 法遵 稽核 杂凑 金钥 义大利 纽西兰 沙乌地 澳洲 塞普勒斯 巴塞隆纳 产业 成衣 非铁金属 投资等级 "
        "办公室房地产"
    ),
    "zh-TW": "投資者 夏普比率 市盈率 股息率 信息 軟件 硬件 網絡 默認 服務器 屏幕 用戶 通脹 新西蘭 意大利",
}
"""Terms of the other place, in this one's characters."""


@pytest.mark.parametrize(("lang", "encoding"), ENCODING.items())
def test_characters_are_those_of_the_script(lang: str, encoding: str) -> None:
    def is_foreign(character: str) -> bool:
        try:
            character.encode(encoding)
        except UnicodeEncodeError:
            return "\u4e00" <= character <= "\u9fff"
        return False

    assert {key: text for key, text in texts(lang).items() if any(map(is_foreign, text))} == {}


@pytest.mark.parametrize(("lang", "terms"), ELSEWHERE.items())
def test_terms_are_those_of_the_place(lang: str, terms: str) -> None:
    found = {(key, term) for key, text in texts(lang).items() for term in terms.split() if term in text}
    assert found == set()


# -- the folder ----------------------------------------------------------------------------------------------


def test_a_text_that_two_files_give_is_an_error_that_names_both() -> None:
    files = {"xx/site.toml": '[site]\nprint = "Print"', "xx/esg.toml": '[site]\nprint = "Print it"'}
    with pytest.raises(DataError, match=r"^xx/esg.toml: site.print = 'Print it' stands in xx/site.toml too: keep one"):
        merged(files)
    with pytest.raises(DataError, match=r"^xx/a.toml: not valid TOML: .*line 1"):
        merged({"xx/a.toml": "= 1"})


def test_one_file_brings_texts_of_many_sections() -> None:
    files = {
        "a.toml": '[kinds]\nFund = "Fund"\n[report.facts]\nA = "a"',
        "b.toml": '[kinds]\nE = "e"\n[report.facts]\nB = "b"',
    }
    assert merged(files) == {"kinds": {"Fund": "Fund", "E": "e"}, "report": {"facts": {"A": "a", "B": "b"}}}


def test_a_table_is_no_text() -> None:
    with pytest.raises(DataError, match=r"^b.toml: kinds.Fund"):
        merged({"a.toml": '[kinds.Fund]\none = "Fund"', "b.toml": '[kinds]\nFund = "Fund"'})
    with pytest.raises(DataError, match=r"^b.toml: kinds.Fund"):
        merged({"a.toml": '[kinds]\nFund = "Fund"', "b.toml": '[kinds.Fund]\none = "Fund"'})


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="no language 'fr': choose one of en, "):
        words("fr", "kinds")


@pytest.mark.parametrize("lang", languages())
def test_what_stands_in_for_a_language_is_one(lang: str) -> None:
    assert set(understood(lang)) <= set(languages())
    assert understood(lang)[0] == lang
    assert preferred([lang]) == lang
    assert {preferred([accepted]) for accepted in language(lang).accepts} <= {lang}


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["zh-TW", "en"], "zh-TW"),
        (["zh-Hant-TW"], "zh-TW"),
        (["zh-Hant"], "zh-TW"),
        (["zh-HK"], "zh-TW"),
        (["zh"], "zh-CN"),
        (["zh-CN", "zh-TW"], "zh-CN"),
        (["zh-Hans-SG"], "zh-CN"),
        (["en-GB", "zh-TW"], "en"),
        (["de", "zh-TW"], "zh-TW"),
        (["de-AT"], "en"),
        (["*"], "en"),
        ([], "en"),
    ],
)
def test_readers_are_spoken_to_in_what_they_want_most(wanted: list[str], given: str) -> None:
    assert preferred(wanted) == given


# -- names ---------------------------------------------------------------------------------------------------


def test_names_answer_in_every_language() -> None:
    names = Names({"en": "Semiconductors", "zh-TW": "半導體"})
    assert [names[lang] for lang in ("en", "zh-TW")] == ["Semiconductors", "半導體"]
    assert {Names.everywhere("Acme")[lang] for lang in languages()} == {"Acme"}
    assert Names({"zh-TW": "台積電"})["en"] == "台積電"
    with pytest.raises(ValueError, match="no name"):
        Names({})


def test_names_are_recorded_without_what_others_stand_in_for() -> None:
    told = {"en": "Acme", "zh-TW": "Acme"}
    assert Names(told).to_json() in ({"en": "Acme"}, {"zh-TW": "Acme"})
    for names in (Names(told), Names({"en": "Apple", "zh-TW": "蘋果"})):
        assert [Names(names.to_json())[lang] for lang in languages()] == [names[lang] for lang in languages()]


# -- nothing else names a language ------------------------------------------------------------------------------


def strings(tree: ast.AST) -> Iterator[str]:
    """Strings of a module, but for docstrings."""
    said = {
        id(body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and (body := node.body)
        and isinstance(body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


WRITTEN = (".html", ".j2", ".css", ".js", ".cypher")


def code() -> list[Path]:
    return [
        path for room in ("kg", "embeddings", "recommender", "explain", "web") for path in (ROOT / room).rglob("*.*")
    ]


def test_nothing_outside_the_folders_names_a_language_or_asks_what_a_tag_begins_with() -> None:
    tag = "({})([-_][A-Za-z]*)?".format("|".join(sorted({lang.partition("-")[0] for lang in languages()})))
    naming = set()
    for path in code():
        text = path.read_text(encoding="utf-8") if path.suffix in (".py", *WRITTEN) else ""
        if path.suffix == ".py":
            names = any(re.fullmatch(tag, string, re.IGNORECASE) for string in strings(ast.parse(text)))
        else:
            names = re.search(rf"[\"'(:]{tag}[\"')]", text) is not None
        if names:
            naming.add(path.relative_to(ROOT).as_posix())
    assert naming == set(TAGGED)
