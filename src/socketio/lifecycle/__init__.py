"""Connects, reconnects and disconnects a client, as the table in ``core.lifecycle`` decides.

base       feeds the table and carries out its actions, for both flavours
attempts   makes one attempt to connect
channel    the session of the current connection, under the client's lock
threads    how threads wait and call
asyncio    how tasks wait and call
"""
