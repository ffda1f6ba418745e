"""Socket.IO without I/O: no sockets, threads, tasks or clocks, so nothing here waits, and tests need no server.

session    decodes frames into events, and encodes calls as frames, with codec and the package's ``packet``
handlers   chooses the handler of an event
backoff    the delays before reconnections
"""
