"""Publishes with simple-async-mq: one client, an event loop for each call, no disconnect(). Prints what comes."""

import sys
from urllib.parse import urlsplit

from simple_async_mq import client_app

import socketio

url = urlsplit(sys.argv[1])
with socketio.SimpleClient() as subscriber:
    subscriber.connect(sys.argv[1])
    subscriber.emit("subscribe", {"topic": "news"})
    while subscriber.receive(timeout=5)[0] != "subscribed":
        pass
    for number in range(3):
        client_app.publish_to_sub(url.hostname, url.port, message={"topic": "news", "number": number})
        print(subscriber.receive(timeout=5))
