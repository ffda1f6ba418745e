"""Raises an error in place of python-socketio's module ``server``: this package has no server.

If python-socketio was installed over this package, its ``__init__.py`` runs and imports its server. Python prefers a
folder to a module of the same name, so this module is imported: it warns, and loads ``server.py`` instead.
"""

import importlib.util
import os
import sys

from ..runtime import conflict

if not os.path.isfile(conflict.SERVER):
    raise ModuleNotFoundError(
        f"{__name__} is part of python-socketio's server, and this package (python-socketio-client) holds the clients",
        name=__name__,
    )

conflict.warn_of_python_socketio(3)
_spec = importlib.util.spec_from_file_location(__name__, conflict.SERVER)
assert _spec is not None
assert _spec.loader is not None
sys.modules[__name__] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[__name__])
