"""Handlers in all the ways in which they are registered, and an application that uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import socketio

sio = socketio.Client(reconnection_attempts=3, logger=True, request_timeout=10)


@sio.event
def connect() -> None:
    print("connected as", sio.sid, "over", sio.transport())


@sio.event
def disconnect(reason: str) -> None:
    print("disconnected:", reason, reason == sio.reason.CLIENT_DISCONNECT)


@sio.event(namespace="/chat")
def connect_error(data: Any) -> None:
    print("refused:", data)


@sio.on("price", namespace="/chat")
def on_price(symbol: str, price: float) -> tuple[str, float]:
    return symbol, price


@sio.on("*")
def any_event(event: str, *args: Any) -> None:
    print(event, args)


def on_news(text: str) -> bool:
    return bool(text)


news: Callable[[str], bool] = sio.on("news", on_news)
kept: tuple[str, float] = on_price("a", 1.0)
sio.on("plain", handler=on_news, namespace="/chat")


def url() -> str:
    return "https://example.com"


def headers() -> dict[str, str]:
    return {"Authorization": "Bearer x"}


def answered(*values: Any) -> None:
    print(values)


def main() -> None:
    sio.connect(url, headers=headers, auth={"token": "x"}, transports=["websocket"], namespaces=["/", "/chat"])
    sio.emit("order", {"id": 1, "parts": [b"x"]}, callback=answered)
    sio.emit("order", (1, 2), namespace="/chat")
    sio.send("hello")
    answer: int = sio.call("question", timeout=5)
    sid: str | None = sio.get_sid("/chat")
    connected: dict[str, str] = sio.namespaces
    thread = sio.start_background_task(on_news, "x")
    thread.join(1.0)
    sio.sleep(0.1)
    print(answer, sid, connected, sio.connected)
    sio.wait()
    sio.shutdown()
    sio.disconnect()


def failing() -> None:
    try:
        sio.connect("http://localhost:5000", wait_timeout=1, retry=False, wait=True)
    except socketio.exceptions.ConnectionError as exc:
        refused: dict[str, Any] = exc.data
        print(refused)
    except (socketio.exceptions.TimeoutError, socketio.exceptions.DisconnectedError):
        raise
