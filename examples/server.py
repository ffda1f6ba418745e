"""A server for the examples: it knows their events, and prints its URL. Usage: python server.py"""

from socketio.testing import Server


def register(server: Server) -> None:
    """Give a server the handlers that the examples need."""

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
    with Server() as server:
        register(server)
        print(server.url, flush=True)
        input("Press Enter to stop the server.\n")
