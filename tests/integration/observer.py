"""A second client that the tests can trust: the least of Socket.IO, to ask a test server what it saw."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

import aiohttp

from .waiting import CEILING, within


class Observer:
    """Connected to ``'/'`` of a test server by websocket; use it with ``async with``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession()
        self._last_id = 0

    async def __aenter__(self) -> Observer:
        try:
            self._websocket = await self._session.ws_connect(f"{self._url}/socket.io/?EIO=4&transport=websocket")
            await self._websocket.send_str("40")
            while not (await self._receive()).startswith("40"):
                pass
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._websocket.close()
        await self._session.close()

    async def call(self, event: str, *args: Any) -> list[Any]:
        """Return the values with which the server acknowledges an event."""
        self._last_id += 1
        await self._websocket.send_str(f"42{self._last_id}{json.dumps([event, *args])}")
        answer = f"43{self._last_id}["
        while not (frame := await self._receive()).startswith(answer):
            pass
        values: list[Any] = json.loads(frame[len(answer) - 1 :])
        return values

    async def notes(self, key: str, count: int) -> list[Any]:
        """Return the notes of a key, once there are ``count``."""
        (values,) = await self.call("wait_notes", key, count)
        assert isinstance(values, list)
        return values

    async def _receive(self) -> str:
        while True:
            frame = await within(CEILING, self._websocket.receive_str())
            if frame != "2":
                return str(frame)
            await self._websocket.send_str("3")
