"""Acknowledgements in both directions: call(), a callback, and what a handler returns.

Usage: python acknowledgements.py [URL]
"""

import sys

import socketio

sio = socketio.Client()


@sio.event
def question(text):
    print("asked:", text)
    return 42, True  # two values for the server's callback


@sio.event
def verdict(text):
    print("verdict:", text)
    sio.disconnect()


def added(total):
    print("the callback got", total)
    sio.emit("ask")


sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
print("call() returned", sio.call("add", (2, 3), timeout=5))
sio.emit("add", (20, 22), callback=added)
sio.wait()
