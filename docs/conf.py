"""How Sphinx builds the documentation: ``sphinx-build -W docs docs/_build``."""

import socketio

project = "python-socketio-client"
author = "The python-socketio-client authors"
copyright = author
version = release = socketio.__version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
default_role = "code"

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["_static"]
html_css_files = ["flavours.css"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"

nitpicky = True
# Types of other packages, and types of our own that have no entry: there is nothing here to link to.
nitpick_ignore_regex = [
    ("py:.*", r"(_?asyncio|collections\.abc|logging|ssl|threading|types|typing)\..*"),
    ("py:class", r"(socketio\.[a-z_.]+\.)?(H|T|logs\.Logger)"),
    ("py:class", r"socketio\.base_namespace\.BaseClientNamespace"),
    ("py:class", r"socketio\.packet\.DefaultJson"),
]
