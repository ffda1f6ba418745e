"""A load test with Locust's SocketIOUser, as its example shows it."""

from locust import task
from locust.contrib.socketio import SocketIOUser


class EchoUser(SocketIOUser):
    """Connects, sends one event of each kind, and leaves."""

    def on_start(self):
        self.sio.connect(self.host, wait_timeout=5)

    @task
    def talk(self):
        self.sio.send("hello", name="send")
        self.sio.emit("greet", "Ada")
        assert self.sio.call("add", (2, 3)) == 5
        self.sio.sleep(0.2)

    def on_stop(self):
        self.sio.disconnect()
