"""HTML to PDF with WeasyPrint; the only file that imports it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

from pathfolio.kg.errors import PathfolioError

_SUMMARY_SIZES: Final = (9.2, 8.7, 8.2, 7.6, 7.0, 6.4)
"""Points."""

_ACCOUNT: Final = re.compile(r'<section class="account">.*</section>', re.DOTALL)
_CHINESE: Final = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


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
    if _CHINESE.search(html) and not _has_chinese_font():
        raise PathfolioError("no font for Chinese text: install Debian's fonts-noto-cjk, or ask for --format html")
    sizes = [CSS(string=f".summary {{ font-size: {size}pt !important }}") for size in _SUMMARY_SIZES]
    summary = HTML(string=_ACCOUNT.sub("", html))
    fits = (size for size in sizes if len(summary.render(stylesheets=[size]).pages) == 1)
    made: bytes = HTML(string=html).write_pdf(stylesheets=[next(fits, sizes[-1])], pdf_variant="pdf/a-3u")
    return made


def _has_chinese_font() -> bool:
    """Whether fontconfig knows one; True where it cannot be asked."""
    program = shutil.which("fc-list")
    if program is None:
        return True
    found = subprocess.run([program, ":lang=zh-tw", "family"], capture_output=True, text=True, check=False)  # noqa: S603 -- a fixed command
    return bool(found.stdout.strip())
