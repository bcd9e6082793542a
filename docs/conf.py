"""How Sphinx makes the documentation; every warning is an error (see noxfile.py)."""

from importlib.metadata import version as installed_version
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring

project = "acumatica-b2b"
release = installed_version("acumatica-b2b")
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
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


def setup(app: Sphinx) -> None:
    """Read sections such as `Raises:`, but not of attributes: napoleon takes all before a colon there for the type."""
    app.connect("autodoc-process-docstring", _read_sections)


def _read_sections(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    if what not in {"attribute", "property"}:
        lines[:] = GoogleDocstring(lines, Config(), app, what, name, obj, options).lines()
