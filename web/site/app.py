"""The application factory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, request, url_for
from jinja2 import StrictUndefined

from explain.formats_html import waterfall
from explain.formats_svg import as_svg
from recommender.build import Build, load_build
from web.site import headers
from web.site.charts import sparkline, stacked
from web.site.converters import IdConverter
from web.site.evidence import Evidence, figure
from web.site.families import FAMILIES, family_of
from web.site.language import current_texts, keep_choice
from web.site.pages import assets, errors, home, investors, recommendations
from web.site.served import Served
from web.site.texts import other_languages, texts_of

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class SiteFacts:
    """What every page says of the data."""

    name: str
    as_of: date
    build: str
    is_sample: bool


def create_app(build: Build | Path, *, trusted_hosts: tuple[str, ...] = LOOPBACK_NAMES) -> Flask:
    """The site of one build.

    Args:
        build: a build, or the folder of one.
        trusted_hosts: names by which the site may be asked for; others are refused, so that no page of another
            site can reach it under a name of its own (DNS rebinding).

    Raises:
        DataError: there is no build in the folder.
    """
    app = Flask(__name__, template_folder="templates", static_folder="static")
    app.config.update(TRUSTED_HOSTS=list(trusted_hosts), MAX_CONTENT_LENGTH=1_000_000)
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # the default provider has it
    app.url_map.converters["id"] = IdConverter
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    served = Served(build if isinstance(build, Build) else load_build(build))
    app.extensions["pathfolio"] = served
    for group in (home, investors, recommendations, assets):
        app.register_blueprint(group.blueprint)
    errors.register(app)
    headers.register(app)
    keep_choice(app)
    _add_globals(app, served)
    return app


def _add_globals(app: Flask, served: Served) -> None:
    graph = served.graph
    facts = SiteFacts(graph.name, graph.as_of, served.build.build_hash, graph.is_sample)
    app.jinja_env.globals.update(
        site=facts,
        families=FAMILIES,
        family_of=family_of,
        picture=as_svg,
        waterfall=waterfall,
        sparkline=sparkline,
        stacked=stacked,
        evidence=Evidence,
        figure=figure,
        file_url=_file_url,
        here=_here,
    )

    @app.context_processor
    def language() -> dict[str, Any]:
        texts = current_texts()
        others = [texts_of(lang) for lang in other_languages(texts.lang)]
        return {"lang": texts.lang, "say": texts.say, "words": texts.words, "other_texts": others}


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
