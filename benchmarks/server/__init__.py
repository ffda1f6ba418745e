"""A Socket.IO server that costs next to nothing, so that what is measured is the client.

It is no server to build on: it knows one namespace, believes what it is told, and answers to its own commands.
"""
