"""The charts of signals on an asset's page: what is drawn is what the build keeps."""

from __future__ import annotations

import re

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from tests.explain.modelled_world import signal_build, signal_tables
from tests.web.plain_site import app, client

__all__ = ["app", "client", "signal_build", "signal_tables"]  # fixtures


@pytest.fixture(scope="module")
def signals_app(signal_build: Build) -> Flask:
    made = create_app(signal_build)
    made.config["TESTING"] = True
    return made


@pytest.fixture
def site(signals_app: Flask) -> FlaskClient:
    return signals_app.test_client()


def told_of(build: Build) -> str:
    history = build.signals
    assert history is not None
    return str(history["asset_id"].iloc[0])


def test_the_band_and_what_came_are_those_of_the_build(site: FlaskClient, signal_build: Build) -> None:
    asset = told_of(signal_build)
    drawn = {each["name"]: each for each in site.get(f"/assets/{asset}?format=json").get_json()["signals"]}
    assert list(drawn) == ["volatility", "beta"]
    history = signal_build.signals
    assert history is not None
    own = history[(history["asset_id"] == asset) & (history["signal"] == "volatility")].set_index("date")
    found = drawn["volatility"]
    assert (found["model"], found["horizon"]) == ("ewma", 63)
    for row in found["rows"]:
        for name in ("forecast", "low", "high", "came"):
            true = own.loc[row["day"], name]
            assert row[name] == (None if np.isnan(true) else true)
    assert found["rows"][-1]["came"] is None
    both = own.dropna()
    assert found["over"] == len(both)
    assert found["within"] == int(((both["low"] <= both["came"]) & (both["came"] <= both["high"])).sum())
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", found["forecast"])]
    assert np.argmax(heights) == np.argmin(own["forecast"].to_numpy())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_says_what_it_draws(site: FlaskClient, signal_build: Build, lang: str) -> None:
    page = site.get(f"/assets/{told_of(signal_build)}?lang={lang}").text
    assert page.count('aria-labelledby="signal-') == 2
    assert "signal_" not in page
    assert page.count('class="region"') == 4  # each band, and its key


def test_a_build_without_signals_has_no_such_chart(client: FlaskClient, build: Build) -> None:
    asset = str(build.graph.asset_ids[3])
    assert client.get(f"/assets/{asset}?format=json").get_json()["signals"] == []
    assert "signal-" not in client.get(f"/assets/{asset}").text
