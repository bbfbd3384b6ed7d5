"""A TCP proxy that can be cut: what is on its way is lost, in both directions, and for a while nobody gets through."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

from tests.support.world import free_port


class Proxy:
    """Listens on a port of its own and passes everything on to another."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target = target_port
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._closed_until = 0.0
        self._stopping = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._listening.wait(10), "the proxy does not listen"

    def cut(self, seconds: float = 0.0) -> None:
        """Reset every connection, and refuse new ones for so long."""
        self._closed_until = time.monotonic() + seconds
        self._loop.call_soon_threadsafe(self._reset)

    def refuse(self, seconds: float) -> None:
        """Listen no more for so long: whoever connects is refused at once, and what is connected goes on."""
        asyncio.run_coroutine_threadsafe(self._refuse(seconds), self._loop).result(seconds + 10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._loop.close()

    def _reset(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _refuse(self, seconds: float) -> None:
        self._server.close()
        await asyncio.sleep(seconds)
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self._listening.set()
        await self._stopping.wait()
        self._server.close()
        self._reset()
        await asyncio.sleep(0.05)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _connected(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._closed_until:
            near_writer.transport.abort()
            return
        try:
            far, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            near_writer.transport.abort()
            return
        ends = {near_writer, far_writer}
        self._writers |= ends
        try:
            await asyncio.gather(_pass_on(near, far_writer), _pass_on(far, near_writer))
        finally:
            self._writers -= ends
            for writer in ends:
                writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        # A reset on one side is a reset on the other: as without a proxy between them.
        writer.transport.abort()
