"""Socket.IO without I/O: no sockets, threads, tasks or clocks. Nothing here waits.

session    decodes frames into events, and encodes calls as frames, with codec and the package's ``packet``
lifecycle  a table that decides what the client does next, such as reconnect
backoff    the delays before reconnections
handlers   chooses the handler of an event
"""
