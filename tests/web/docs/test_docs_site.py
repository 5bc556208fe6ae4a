"""The documentation's site: made without a warning and without a network, and its search works from the disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pathfolio
from pathfolio.kg.tables import LAYOUT
from pathfolio.web.cli import COMMANDS
from pathfolio.web.site.pages.api import openapi_document
from tests import ROOT

LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|link)\b[^>]*?\b(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'\s>]+"""
)
STYLE_LOADS = re.compile(r"""(?:@import\s*|url\()\s*["']?(?:https?:)?//""")
CHROMIUM = os.environ.get("PATHFOLIO_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as the command in README.md makes it; without a way to any network but this machine's own."""
    out = tmp_path_factory.mktemp("docs-site")
    nowhere = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "all")}
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "web/docs", str(out)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def text_of(page: Path) -> str:
    """What a page says, without its markup."""
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 10
    assert LOADS.search('<script src="https://cdn.example/x.js">') and LOADS.search('<link href="//x.example/a.css">')
    found = [(page.name, load) for page in pages for load in LOADS.findall(page.read_text(encoding="utf-8"))]
    found += [
        (style.name, load) for style in site.rglob("*.css") for load in STYLE_LOADS.findall(style.read_text("utf-8"))
    ]
    assert not found


def test_references_are_whole(site: Path) -> None:
    python, commands = text_of(site / "reference/python.html"), text_of(site / "reference/command-line.html")
    assert not [name for name in pathfolio.__all__ if f"{name}" not in python]
    assert not [name for name in COMMANDS if f"pathfolio {name}" not in commands]
    for words in ("--instead-of", "--drop-unused", "--into-nonempty", "pathfolio audit verify"):
        assert words in commands
    data = text_of(site / "reference/data.html")
    assert not [column.title for columns in LAYOUT.values() for column in columns if column.title not in data]
    http = (site / "reference/http.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert not [path for path in openapi_document()["paths"] if path not in http]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install Debian's chromium, or set PATHFOLIO_CHROMIUM")
def test_the_search_works_from_the_disk_and_pages_fit_a_phone(site: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox"])
        page = browser.new_page(viewport=PHONE)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{(site / 'search.html').as_uri()}?q=checkpoint")
        page.wait_for_selector("#search-results li a", timeout=20_000)
        assert page.locator("#search-results li a").count() > 1
        for made in sorted(site.rglob("*.html")):
            if made.name != "search.html":
                page.goto(made.as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], made
        browser.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
