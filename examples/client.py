"""The event-driven client: handlers are called as events come.

Usage: python client.py [URL]
"""

import sys

import socketio

sio = socketio.Client()


@sio.event
def connect():
    print("connected over", sio.transport())
    sio.emit("greet", "Ada")


@sio.event
def welcome(name):
    print("welcome,", name)
    sio.disconnect()


@sio.event
def connect_error(data):
    print("not connected:", data)


@sio.event
def disconnect(reason):
    print("disconnected:", reason)


sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
sio.wait()
