"""How fast the clients are, beside python-socketio, the JavaScript client and the bare libraries: see README.md."""
