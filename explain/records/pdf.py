"""HTML to PDF with WeasyPrint; the only file that imports it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

from kg.errors import PathfolioError

_SUMMARY_SIZES: Final = (8.2, 7.6, 7.0, 6.4)
"""Points."""

_CHINESE: Final = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


def pdf_of(html: str) -> bytes:
    """The page as PDF/A-3u (made for archives: fonts embedded, text selectable).

    A summary (class `summary`) that ends in an element with the id `integrity` is set smaller until that stands on
    the first page.

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
    page = HTML(string=html)
    for size in _SUMMARY_SIZES:
        laid = page.render(stylesheets=[CSS(string=f".summary {{ font-size: {size}pt !important }}")])
        if "integrity" in laid.pages[0].anchors or 'id="integrity"' not in html:
            break
    made: bytes = laid.write_pdf(pdf_variant="pdf/a-3u")
    return made


def _has_chinese_font() -> bool:
    """Whether fontconfig knows one; True where it cannot be asked."""
    program = shutil.which("fc-list")
    if program is None:
        return True
    found = subprocess.run([program, ":lang=zh-tw", "family"], capture_output=True, text=True, check=False)  # noqa: S603 -- a fixed command
    return bool(found.stdout.strip())
