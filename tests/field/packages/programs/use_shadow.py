"""Joins a channel of ShadowOB with its threaded socket."""

import queue
import sys

from shadowob_sdk.socket import ShadowSocket

messages = queue.Queue()
socket = ShadowSocket(sys.argv[1], "the token")
socket.on("message:new", messages.put)
socket.connect()
print(socket.join_channel("general"), messages.get(timeout=5), socket.connected)
socket.disconnect()
