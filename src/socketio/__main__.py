"""The command line, ``python -m socketio``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__, demo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code, 0 for success."""
    parser = argparse.ArgumentParser(prog="python -m socketio", description="A Socket.IO client for Python.")
    parser.add_argument("--version", action="version", version=f"python-socketio-client {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="command")
    description = "Start a server in this process and let each client talk to it over each transport."
    commands.add_parser("demo", help=description, description=description)
    if parser.parse_args(arguments).command is None:
        parser.print_help()
        return 0
    return demo.run()


if __name__ == "__main__":
    sys.exit(main())
