"""Logs in to Dockge with dockgectl's client and reads the settings."""

import sys

from dockgectl.client import ApiError, DockgeClient

client = DockgeClient(sys.argv[1])
try:
    client.login("ada", "wrong")
except ApiError as exc:
    print(exc)
client.login("ada", "secret")
print(client.wait_for_info(), client.get_settings())
client.disconnect()

try:
    DockgeClient("http://127.0.0.1:9", timeout=2).connect()
except ApiError as exc:
    print("Unable to connect" in str(exc))
