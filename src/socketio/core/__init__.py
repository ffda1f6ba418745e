"""The Socket.IO session, the lifecycle, the handlers and the backoff: no I/O, no threads, no tasks, no clock."""
