"""Warns if python-socketio was installed in the folder of this package.

Both distributions bring a package ``socketio``. pip checks no files: the one that is installed last overwrites the
modules that both have, and leaves the others. Only python-socketio has a module ``server.py``.
"""

from __future__ import annotations

import os
import warnings

HERE = os.path.dirname(os.path.dirname(__file__))
SERVER = os.path.join(HERE, "server.py")


def warn_of_python_socketio(stacklevel: int) -> None:
    """Warn if python-socketio is installed in this folder; ``stacklevel`` is that of ``warnings.warn()``."""
    if os.path.isfile(SERVER):
        warnings.warn(
            f"python-socketio and python-socketio-client are both installed in {HERE} and overwrite each other's files:"
            " run 'pip uninstall -y python-socketio python-socketio-client', then install the one you need",
            RuntimeWarning,
            stacklevel + 1,
        )
