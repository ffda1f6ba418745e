"""The simple client: no handlers, events wait until the program asks for them.

Usage: python simple_client.py [URL]
"""

import sys

import socketio

with socketio.SimpleClient() as sio:
    sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
    print("connected over", sio.transport)

    sio.emit("greet", "Ada")
    event, name = sio.receive(timeout=5)
    print(f"{event}, {name}")

    print("2 + 3 =", sio.call("add", (2, 3)))

print("disconnected")
