"""Opens a base with seatable-api and waits for updates, also after the server has ended the connection."""

import queue
import sys

from seatable_api import Base

updates = queue.Queue()
base = Base("the token", sys.argv[1])
base.auth(with_socket_io=True)
base.socketIO.on("update-dtable", lambda data, index: updates.put(data))
print("first:", updates.get(timeout=5))
print("after the disconnection:", updates.get(timeout=10))
base.socketIO.sio.disconnect()
