"""A server for the examples. Usage: python server.py [PORT]"""

import sys
import time

from socketio.testing import Server


def register(server: Server) -> None:
    @server.event
    def greet(sid, name):
        server.emit("welcome", name, to=sid)

    @server.event
    def add(sid, a, b):
        return a + b

    @server.event
    def ask(sid):
        def answered(answer, certain):
            server.emit("verdict", f"{answer} is {'right' if answer == 42 else 'wrong'}", to=sid)

        server.emit("question", "What is 6 times 7?", to=sid, callback=answered)

    @server.event(namespace="/chat")
    def say(sid, text):
        server.emit("said", text, namespace="/chat")

    @server.event(namespace="/news")
    def subscribe(sid, topic):
        server.emit("headline", (topic, "nothing happened"), to=sid, namespace="/news")


if __name__ == "__main__":
    with Server(port=int(sys.argv[1]) if sys.argv[1:] else 5000) as server:
        register(server)
        print(f"Listening on {server.url}. Press Ctrl-C to stop.", flush=True)
        while True:
            time.sleep(3600)
