"""The build that is served: what it is made of, and how it was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Blueprint

from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.view import view

blueprint = Blueprint("builds", __name__)


@dataclass(frozen=True)
class BuildPage(Page):
    """The build's manifest.json and report.json; see `pathfolio.recommender.build`."""

    template: ClassVar[str] = "build.html"
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]

    def detail(self, text: str) -> str:
        """What a stage said at its end, in the reader's language where it is one of ours."""
        for pattern, words in current_texts().details.items():
            text = re.sub(pattern, words, text)
        return text


@blueprint.get("/build")
@view(Permission.BUILDS, tag="data")
def build() -> BuildPage:
    """How the build was made."""
    found = served().build
    return BuildPage(found.manifest, found.report)
