"""Settings of the site of the documentation (see ``tools/docs_site.py``)."""

# ruff: noqa: INP001 - read by Sphinx, not part of a package

import lifecircle

project = "lifecircle"
copyright = "lifecircle, Apache-2.0"  # noqa: A001 - the name Sphinx reads
version = release = lifecircle.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "sphinx_copybutton"]
root_doc = "index"
html_theme = "furo"
html_title = f"lifecircle {release}"
html_search_language = "zh"  # finds words of both languages
html_copy_source = html_show_sourcelink = False
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.xref_ambiguous"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_preprocess_types = False
# Docstrings write types in words ("float", "optional"); only links that are written as links are checked.
nitpick_ignore_regex = [(r"py:.*", r".*")]
