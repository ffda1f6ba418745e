"""Two namespaces over one connection: one with functions, one with a class.

Usage: python namespaces.py [URL]
"""

import sys

import socketio

sio = socketio.Client()


@sio.event(namespace="/chat")
def said(text):
    print("/chat:", text)
    sio.emit("subscribe", "weather", namespace="/news")


class News(socketio.ClientNamespace):
    def on_connect(self):
        print("the news are connected")

    def on_headline(self, topic, text):
        print(f"/news: {topic}: {text}")
        self.disconnect()


sio.register_namespace(News("/news"))
sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
sio.emit("say", "hello", namespace="/chat")
sio.wait()
