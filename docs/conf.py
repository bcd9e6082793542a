"""How Sphinx makes the documentation; every warning is an error (see noxfile.py)."""

from importlib.metadata import version as installed_version

project = "acumatica-b2b"
release = installed_version("acumatica-b2b")
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
nitpicky = False  # attrs and cattrs leave names in signatures that no inventory knows

# docstrings quote code as Markdown does, with single backticks
default_role = "literal"

# pages mark their examples as {doctest}; those of docstrings know their module and are run by pytest
doctest_test_doctest_blocks = ""

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"{project} {release}"
