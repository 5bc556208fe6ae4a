"""Signing in and out at a provider in headless Chromium: with its cookies, its rules for forms, and for everyone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from tests.web.oidc_world import SmallProvider, provider
from tests.web.test_site_browser import AUDIT, CONTRAST, Tab, chromium, serving, sync_api

__all__ = ["chromium", "provider"]  # fixtures
pytestmark = pytest.mark.browser


@pytest.fixture
def address(build: Build, provider: SmallProvider) -> Iterator[str]:
    """Of the site whose people sign in at the provider, which is another site to the browser."""
    provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
    with serving(create_app(build, Access(Accounts(":memory:"), oidc=provider.settings()))) as found:
        provider.site = found
        yield found


def test_the_whole_way_in_and_out(chromium: sync_api.Browser, address: str, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    tab = Tab(chromium, address)
    page = tab.page
    page.goto("/records")
    page.locator("text=Sign in with Example Bank").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#purpose")
    assert page.url == f"{address}/records"
    page.locator("form.account button").click()
    page.wait_for_url("**/sign-in")
    assert provider.left == [{"client_id": "pathfolio-site", "post_logout_redirect_uri": f"{address}/sign-in"}]
    page.goto("/records")
    assert "/sign-in?next=/records" in page.url
    assert [error for error in tab.errors if "428" not in error] == []
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_of_signing_in_are_for_everyone(
    chromium: sync_api.Browser, address: str, provider: SmallProvider, scheme: str, width: int
) -> None:
    tab = Tab(chromium, address, color_scheme=scheme, viewport={"width": width, "height": 844})
    page = tab.page
    provider.signs_in("eve")
    provider.described = {"end_session_endpoint": None}
    for url in ("/sign-in", "/sign-in/provider", "/signed-out"):
        if url == "/signed-out":
            provider.signs_in("carol", "pathfolio-compliance")
            page.goto("/sign-in/provider")
            page.locator("form.account button").click()
            page.wait_for_url("**/signed-out")
        else:
            page.goto(url)
        assert page.evaluate(AUDIT) == [], url
        assert page.evaluate(CONTRAST) == [], url
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, url
    assert [error for error in tab.errors if "403" not in error] == []
    tab.context.close()
