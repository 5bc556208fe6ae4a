"""The site's languages, errors and defences: what a visitor may send, and what no page ever says."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from tests.web.plain_site import app, client
from tests.web.site_pages import all_pages, first_recommendation, investors, links, page_of, twin_of
from tests.web.site_world import HOSTILE, SLASHED

__all__ = ["app", "client"]  # fixtures


# -- languages -----------------------------------------------------------------------------------------------


def test_a_chosen_language_is_kept(client: FlaskClient) -> None:
    assert '<html lang="zh-TW" ' in page_of(client, "/?lang=zh-TW")
    assert '<html lang="zh-TW" ' in page_of(client, "/")
    assert '<html lang="en" ' in page_of(client, "/?lang=en")
    assert '<html lang="en" ' in page_of(client, "/?lang=xx")


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("zh-TW,en;q=0.5", "zh-TW"),
        ("en,zh;q=0.5", "en"),
        ("fr", "en"),
        ("zh", "zh-CN"),
        ("zh-SG", "zh-CN"),
        ("zh-HK", "zh-TW"),
        ("", "en"),
    ],
)
def test_the_browsers_language_is_the_default(app: Flask, header: str, lang: str) -> None:
    response = app.test_client().get("/", headers={"Accept-Language": header})
    assert f'<html lang="{lang}" ' in response.text
    assert response.headers["Content-Language"] == lang


def test_chinese_pages_are_chinese(client: FlaskClient, build: Build) -> None:
    url = first_recommendation(client, investors(build)[1])
    html = page_of(client, url + ("&" if "?" in url else "?") + "lang=zh-TW")
    main = html.partition("<main")[2].partition("</main>")[0]
    for word in ("推薦理由", "分數如何加總", "證據路徑", "年", "月"):
        assert word in main
    for word in ("Reasons", "Evidence", "Print", "Known on"):
        assert word not in main


# -- errors and attacks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/nope", "There is no such page"),
        ("/investors/nobody", "No investor “nobody” in this data"),
        ("/assets/none", "No asset “none” in this data"),
        ("/investors/nobody/assets/none", "No investor “nobody” in this data"),
    ],
)
def test_what_is_not_there_is_a_page_that_helps(client: FlaskClient, url: str, said: str) -> None:
    assert said in page_of(client, url, 404)
    response = client.get(url, headers={"Accept": "application/json"})
    assert (response.status_code, response.get_json()["status"]) == (404, 404)


def test_wrong_kinds_methods_and_hosts_are_refused(client: FlaskClient, build: Build) -> None:
    user = investors(build)[1]
    assert client.get(f"/investors/{user}?kind=house").status_code == 404
    assert client.post(f"/investors/{user}").status_code == 405
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_fault_shows_no_traceback(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(build)
    monkeypatch.setattr(app.extensions["pathfolio"].desk, "show", lambda *args: 1 / 0)
    html = page_of(app.test_client(), f"/investors/{investors(build)[1]}", 500)
    assert "Something went wrong here" in html
    assert "ZeroDivision" not in html
    assert "Traceback" not in html


def test_every_response_carries_the_security_headers(client: FlaskClient, build: Build) -> None:
    for url, response in [*all_pages(client, build), ("/static/site.css", client.get("/static/site.css"))]:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, url
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        cache = response.headers.get("Cache-Control", "")
        assert ("no-store" in cache) == (not url.startswith("/static/"))
    assert client.get("/static/nothing.css").headers["Cache-Control"] == "no-store"


def test_pages_have_no_inline_script_or_style_and_load_nothing_from_elsewhere(
    client: FlaskClient, build: Build
) -> None:
    for url, response in all_pages(client, build):
        html = response.text
        assert not re.search(r"<script(?![^>]*\bsrc=\"/static/)", html), url
        assert not re.search(r"\s(?:style|on\w+)=", html), url
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', html), url


def test_names_are_text_never_markup(client: FlaskClient, build: Build) -> None:
    urls = [f"/investors/{investors(build)[0]}", "/search?q=<script>", '/search?q="><script>alert(1)</script>']
    for url in urls:
        for lang in LANGUAGES:
            html = page_of(client, f"{url}{'&' if '?' in url else '?'}lang={lang}")
            assert "<script>" not in html
    assert HOSTILE in unescape(page_of(client, urls[0]))


def test_ids_may_hold_any_character(client: FlaskClient, build: Build) -> None:
    [url] = links(page_of(client, "/search?q=BRK/B"), "/assets/")
    assert HOSTILE in unescape(page_of(client, url))
    assert twin_of(client, url)["profile"]["asset"]["id"] == SLASHED  # type: ignore[index]
    why = f"/investors/{investors(build)[1]}{url}"
    assert twin_of(client, why)["asset_id"] == SLASHED


def test_arguments_of_a_visitor_never_steer_links_elsewhere(client: FlaskClient) -> None:
    html = page_of(client, "/?_scheme=javascript&_external=1&_anchor=x&q=1")
    assert "javascript:" not in html
    assert all(url.startswith(("/", "#")) for url in links(html, ""))
