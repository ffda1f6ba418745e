"""Connects, reconnects and disconnects a client, as the table in ``core.lifecycle`` decides.

base       passes inputs to the table and executes its actions, for both flavours
attempts   makes one attempt to connect
channel    the session of the current connection, guarded by the client's lock
threads    how threads wait and call
asyncio    how tasks wait and call
"""
