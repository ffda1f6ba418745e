"""The servers of the integration tests: one kit of events, registered on three Socket.IO servers."""
