"""How Sphinx makes the site; see https://www.sphinx-doc.org/en/master/usage/configuration.html for the names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".src"))  # this checkout, whatever is installed

project: Final = "pathfolio"
author: Final = "The pathfolio developers"
copyright: Final = author
language: Final = "en"
extensions: Final = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "pathfolio.web.docs.made.directive",
    "pathfolio.web.docs.made.formulas",
]
myst_enable_extensions: Final = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors: Final = 3
exclude_patterns: Final = ["**/__pycache__"]

# Docstrings are written as Markdown would have it: one backtick around code.
default_role: Final = "code"
autodoc_typehints: Final = "signature"
autodoc_member_order: Final = "bysource"
autodoc_preserve_defaults: Final = True
autodoc_default_options: Final = {"members": True, "show-inheritance": False}
python_use_unqualified_type_names: Final = True
add_module_names: Final = False
napoleon_numpy_docstring: Final = False

html_theme: Final = "pydata_sphinx_theme"
html_title: Final = "pathfolio"
html_static_path: Final = ["static"]
html_css_files: Final = ["docs.css"]
html_copy_source: Final = False
html_show_sourcelink: Final = False
html_show_sphinx: Final = False
html_theme_options: Final[dict[str, Any]] = {
    "logo": {"text": "pathfolio"},
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "article_header_start": [],
    "pygments_light_style": "tango",
}
html_sidebars: Final[dict[str, list[str]]] = {"index": []}
