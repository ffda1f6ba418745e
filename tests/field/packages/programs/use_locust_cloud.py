"""Follows the log of a load test with the WebSocket of locust-cloud, and prints how that ends.

Usage: python use_locust_cloud.py URL SESSION SECONDS
"""

import sys
import time

import locust_cloud.websocket

url, session, seconds = sys.argv[1:]
websocket = locust_cloud.websocket.Websocket()
websocket.initial_connect_timeout = float(seconds)
began = time.monotonic()
try:
    websocket.connect(url, auth=session)
    websocket.sio.emit("subscribe")
    websocket.wait()
except (locust_cloud.websocket.SessionMismatchError, locust_cloud.websocket.WebsocketTimeout) as exc:
    print(f"{type(exc).__name__}: {exc}")
else:
    websocket.shutdown()
print("quick" if time.monotonic() - began < float(seconds) + 3 else "slow")
