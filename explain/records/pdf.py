"""HTML to PDF with WeasyPrint; the only file that imports it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.languages import language, languages

_SUMMARY_SIZES: Final = (9.2, 8.7, 8.2, 7.6, 7.0, 6.4)
"""Points."""

_ACCOUNT: Final = re.compile(r'<section class="account">.*</section>', re.DOTALL)
_IDEOGRAPHS: Final = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


def pdf_of(html: str) -> bytes:
    """The page as PDF/A-3u (made for archives: fonts embedded, text selectable).

    A summary (`<section class="summary">`) is set smaller until it fits on the first page; it is laid out alone for
    that, which takes a fraction of the time.

    Raises:
        PathfolioError: the system lacks Pango, or a font for the Chinese text.
    """
    try:
        from weasyprint import CSS, HTML
    except OSError as error:
        raise PathfolioError(
            f"PDF needs the Pango library ({str(error).splitlines()[0]}): install Debian's libpangoft2-1.0-0 and "
            "libharfbuzz-subset0, or ask for --format html"
        ) from None
    if _IDEOGRAPHS.search(html) and not _has_font():
        raise PathfolioError("no font for Chinese text: install Debian's fonts-noto-cjk, or ask for --format html")
    sizes = [CSS(string=f".summary {{ font-size: {size}pt !important }}") for size in _SUMMARY_SIZES]
    summary = HTML(string=_ACCOUNT.sub("", html))
    fits = (size for size in sizes if len(summary.render(stylesheets=[size]).pages) == 1)
    made: bytes = HTML(string=html).write_pdf(stylesheets=[next(fits, sizes[-1])], pdf_variant="pdf/a-3u")
    return made


def _has_font() -> bool:
    """Whether fontconfig knows one for a language that needs one; True where it cannot be asked."""
    program = shutil.which("fc-list")
    if program is None:
        return True
    needed = {fonts for lang in languages() if (fonts := language(lang).fonts)}
    commands = [[program, f":lang={fonts}", "family"] for fonts in sorted(needed)]
    found = (subprocess.run(each, capture_output=True, text=True, check=False) for each in commands)  # noqa: S603 -- fixed
    return any(each.stdout.strip() for each in found)
