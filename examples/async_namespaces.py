"""Two namespaces over one connection, for asyncio: one with functions, one with a class.

Usage: python async_namespaces.py [URL]
"""

import asyncio
import sys

import socketio

sio = socketio.AsyncClient()


@sio.event(namespace="/chat")
async def said(text):
    print("/chat:", text)
    await sio.emit("subscribe", "weather", namespace="/news")


class News(socketio.AsyncClientNamespace):
    def on_connect(self):
        print("the news are connected")

    async def on_headline(self, topic, text):
        print(f"/news: {topic}: {text}")
        await self.disconnect()


async def main():
    sio.register_namespace(News("/news"))
    await sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
    await sio.emit("say", "hello", namespace="/chat")
    await sio.wait()


asyncio.run(main())
