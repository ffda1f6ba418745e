"""Class-based namespaces of both flavours, and packet classes."""

from __future__ import annotations

from typing import Any

import socketio
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import EVENT, Packet, packet_names


class Chat(socketio.ClientNamespace):
    def on_connect(self) -> None:
        self.emit("hello", namespace="/other")

    def on_message(self, text: str) -> int:
        self.send(text, callback=print)
        answer: Any = self.call("question", timeout=3)
        return len(str(answer))

    def on_disconnect(self, reason: str) -> None:
        print(self.namespace, reason, self.client.connected)


class AsyncChat(socketio.AsyncClientNamespace):
    async def on_connect(self) -> None:
        await self.emit("hello")

    async def on_message(self, text: str) -> Any:
        await self.send(text)
        return await self.call("question", text)

    def on_disconnect(self) -> None:
        print("disconnected")

    async def trigger_event(self, event: str, *args: Any) -> Any:
        return await super().trigger_event(event.lower(), *args)


class Quiet(Packet):
    uses_binary_events = False


def default(value: object) -> Any:
    return str(value)


client = socketio.Client(serializer=MsgPackPacket.configure(dumps_default=default))
client.register_namespace(Chat("/chat"))
async_client = socketio.AsyncClient(serializer=Quiet)
async_client.register_namespace(AsyncChat("/chat"))

packet = Packet(EVENT, data=["name", 1], namespace="/", id=1)
count: int = Packet().decode("2[]")
complete: bool = packet.add_attachment(b"x")
name: str = packet_names[packet.packet_type]
