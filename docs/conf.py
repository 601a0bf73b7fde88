"""Configuration of the documentation site: python -m sphinx -W -b html docs build/docs."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from conda_token_plugin import __version__  # noqa: E402  # found by the path above

project = "conda-token-plugin"
author = "conda-token-plugin maintainers"
version = release = __version__
extensions = ["myst_parser", "generated"]
exclude_patterns = ["_ext"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
myst_links_external_new_tab = False
nitpicky = True
language = "en"
smartquotes = False  # they make one dash of the two of an option

html_theme = "conda_sphinx_theme"
html_title = "conda-token-plugin"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_depth": 2,
    "show_toc_level": 2,
    "use_edit_page_button": False,
    "icon_links": [],
}
