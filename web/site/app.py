"""The application factory."""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, request, url_for
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from pathfolio.explain.formats.svg import as_svg
from pathfolio.explain.plain_rows import plain_rows
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.find import Finder
from pathfolio.explain.waterfall import waterfall
from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.build import Build, load_build
from pathfolio.recommender.suitability.rulefile import NO_RULES
from pathfolio.web.advice import open_desk
from pathfolio.web.site import compression, graph_alone, headers, list_columns, recorded, request_limits
from pathfolio.web.site import telling as telling_texts
from pathfolio.web.site.access import guard
from pathfolio.web.site.access.guard import Access, visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.charts import sparkline, stacked
from pathfolio.web.site.converters import IdConverter
from pathfolio.web.site.evidence_words import EvidenceWords, figure
from pathfolio.web.site.families import FAMILIES, family_of
from pathfolio.web.site.graph.algorithm_runs import AlgorithmRuns
from pathfolio.web.site.graph.desk import GraphDesk
from pathfolio.web.site.invest.axes import percents
from pathfolio.web.site.invest.shown import labels, limit_names
from pathfolio.web.site.kept_cells import KeptCells
from pathfolio.web.site.language import current_texts, keep_choice
from pathfolio.web.site.measures import Measures
from pathfolio.web.site.pages import (
    accounts,
    algorithms,
    api,
    assets,
    audience,
    builds,
    canvas,
    catalogue,
    charts,
    console,
    errors,
    home,
    investors,
    neighbours,
    operation,
    plan,
    portfolio,
    provider,
    recommendations,
    record,
    records,
    reports,
    saved,
    signin,
    telling,
    what_if,
    why,
)
from pathfolio.web.site.purpose import ask_staff_first
from pathfolio.web.site.report_maker import ReportMaker
from pathfolio.web.site.served import ServedBuild, ServedGraph
from pathfolio.web.site.stated import stated_purpose
from pathfolio.web.site.texts import other_languages, texts_of
from pathfolio.web.site.workspace import WORKSPACE

PAGES: Final = (
    home,
    investors,
    recommendations,
    why,
    neighbours,
    catalogue,
    charts,
    portfolio,
    plan,
    assets,
    audience,
    records,
    record,
    reports,
    console,
    canvas,
    saved,
    algorithms,
    builds,
    signin,
    provider,
    accounts,
    what_if,
    telling,
    api,
    operation,
)
"""Modules of pages, each with its blueprint."""

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")

NAVIGATION: Final = MappingProxyType(
    {
        "catalogue.assets": Permission.ASSETS,
        "what_if.questionnaire": Permission.HOME,
        "records.records": Permission.RECORDS,
        "console.console": Permission.GRAPH,
        "builds.build": Permission.BUILDS,
        "accounts.accounts": Permission.ACCOUNTS,
    }
)
"""Pages that the masthead leads to, each for those who may see it."""


class _Site(Flask):
    """A site whose log names no person: neither the address that failed nor the error's own words."""

    def log_exception(self, exc_info: Any) -> None:
        """Log where it failed, and by what kind of error."""
        kind, _, trace = exc_info
        where = "".join(traceback.format_tb(trace))
        self.logger.error("%s in %s %s\n%s", kind.__name__, request.method, request.endpoint, where)


@dataclass(frozen=True)
class SiteFacts:
    """What every page says of the data."""

    name: str
    as_of: date
    source_hash: str
    is_sample: bool
    has_scores: bool


def create_app(
    build: Build | Path | ServedGraph,
    access: Access | None = None,
    *,
    desk: Desk | None = None,
    trusted_hosts: tuple[str, ...] = LOOPBACK_NAMES,
    behind_proxy: bool = False,
) -> Flask:
    """The site of one build, or of a graph alone.

    Args:
        build: a build, the folder of one, or a graph alone, of which the site has the console and no scores.
        access: who may see what; without it, whoever reaches the site may see everything.
        desk: hands out the build's answers; without it, under the rules of the build's market and with the ledger
            that the environment names.
        trusted_hosts: names by which the site may be asked for; others are refused, so that no page of another
            site can reach it under a name of its own (DNS rebinding).
        behind_proxy: whether one proxy stands in front and says in X-Forwarded-For and -Proto who asks, and how.

    Raises:
        DataError: there is no build in the folder.
        LedgerError: the ledger cannot be opened, so nothing could be shown.
    """
    app = _Site(__name__, template_folder="templates", static_folder="static")
    if behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign] # as Flask's manual says
    app.config.update(TRUSTED_HOSTS=list(trusted_hosts), MAX_CONTENT_LENGTH=request_limits.LARGEST_BODY)
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # the default provider has it
    app.url_map.converters["id"] = IdConverter
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    served = _served(build, desk)
    app.extensions["pathfolio"] = served
    app.extensions["pathfolio_graph"] = GraphDesk(served.source, investors=access is None or access.accounts is None)
    app.extensions["pathfolio_algorithms"] = AlgorithmRuns(served.source)
    app.extensions["pathfolio_finder"] = Finder(served.ledger)
    if isinstance(served, ServedBuild):
        app.extensions["pathfolio_reports"] = ReportMaker(served)
    app.extensions["pathfolio_measures"] = Measures(app)
    compression.register(app, _content_mark)
    for group in PAGES:
        app.register_blueprint(group.blueprint)
    access = access or Access()
    guard.register(app, access)
    _add_provider(app, access)
    if not isinstance(served, ServedBuild):
        graph_alone.register(app)
    request_limits.register(app)
    app.before_request(ask_staff_first)
    errors.register(app)
    headers.register(app)
    recorded.register(app)
    list_columns.register(app)
    telling_texts.register(app)
    keep_choice(app)
    _add_globals(app, served)
    _read_texts(app)
    return app


def _served(build: Build | Path | ServedGraph, desk: Desk | None) -> ServedGraph:
    if isinstance(build, ServedGraph):
        return build
    return ServedBuild(desk or open_desk(build if isinstance(build, Build) else load_build(build)))


def _add_provider(app: Flask, access: Access) -> None:
    """Where people sign in at a provider; Authlib is loaded for no other site."""
    if access.oidc is None or access.accounts is None:
        return
    from pathfolio.web.site.access.pending import PendingSignIns
    from pathfolio.web.site.access.provider import Provider

    app.extensions["pathfolio_provider"] = Provider(access.oidc, PendingSignIns(access.accounts))


def _read_texts(app: Flask) -> None:
    """Read every template and text now: what is installed over a running site must not mix with what it has."""
    for name in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(name)
    for lang in LANGUAGES:
        texts_of(lang)


def _add_globals(app: Flask, served: ServedGraph) -> None:
    graph = served.graph
    has_scores = isinstance(served, ServedBuild)
    facts = SiteFacts(graph.name, graph.as_of, served.source_hash, graph.is_sample, has_scores)
    shown = [endpoint for endpoint in NAVIGATION if has_scores or graph_alone.has(endpoint)]
    app.jinja_env.globals.update(
        site=facts,
        families=FAMILIES,
        family_of=family_of,
        picture=as_svg,
        node_address=neighbours.node_address,
        waterfall=waterfall,
        plain_rows=plain_rows,
        sparkline=sparkline,
        list_columns=tuple(list_columns.COLUMNS),
        badge_words=list_columns.BADGE_WORDS,
        kept_cell=KeptCells(),
        small_line=served.small_line if isinstance(served, ServedBuild) else None,
        stacked=stacked,
        evidence=EvidenceWords,
        figure=figure,
        file_url=_file_url,
        asset_name=records.asset_name,
        here=_here,
        stated_purpose=stated_purpose,
        workspace=WORKSPACE,
        percents=percents,
        labels=labels,
        limit_names=limit_names,
    )

    @app.context_processor
    def language() -> dict[str, Any]:
        texts = current_texts()
        others = [texts_of(lang) for lang in other_languages(texts.lang)]
        rules = served.rules
        return {
            "lang": texts.lang,
            "texts": texts,
            "say": texts.say,
            "named": texts.named,
            "words": texts.words,
            "other_texts": others,
            "visitor": visitor(),
            "today": served.today(),
            "site_rules": "" if rules is None or rules.market == NO_RULES else rules.title[texts.lang],
            "navigation": [endpoint for endpoint in shown if visitor().may(NAVIGATION[endpoint])],
        }


def _here(**changes: str) -> str:
    """The address of this page with some of its arguments changed."""
    args = {key: value for key, value in request.args.items() if key not in {"lang", "format"}}
    if request.endpoint is None or request.endpoint == "static":
        return f"{url_for('home.home')}?{urlencode(changes)}"
    # What the visitor wrote never reaches url_for's own arguments (_scheme, _external).
    return f"{url_for(request.endpoint, **(request.view_args or {}))}?{urlencode({**args, **changes})}"


def _file_url(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep the file."""
    return url_for("static", filename=name, v=_content_mark(name))


@cache
def _content_mark(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:10]
