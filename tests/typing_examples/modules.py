"""Names of the package and of its modules, after ``import socketio`` alone."""

from __future__ import annotations

import socketio


def use_modules(sio: socketio.client.Client, base: socketio.base_client.BaseClient) -> socketio.Client:
    try:
        sio.connect("http://a")
    except (socketio.exceptions.ConnectionError, socketio.exceptions.TimeoutError) as exc:
        print(exc)
    with socketio.testing.Server() as server:
        print(server.url, socketio.packet.packet_names, base)
    return sio


namespace: type[socketio.ClientNamespace] = socketio.namespace.ClientNamespace
